//! Rust's target triples, and the OCI and ELF names for them.

use serde::Serialize;

use crate::elf::Machine;
use crate::oci::Platform;

/// The triples for which a processor's name alone stands, as Docker and Debian or Rust call it.
const ALIASES: [(&str, &str); 4] = [
    ("aarch64", "aarch64-unknown-linux-gnu"),
    ("amd64", "x86_64-unknown-linux-gnu"),
    ("arm64", "aarch64-unknown-linux-gnu"),
    ("x86_64", "x86_64-unknown-linux-gnu"),
];

/// A target to compile for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Target {
    /// Rust's target triple: `aarch64-unknown-linux-gnu`.
    pub triple: String,
    /// The newest glibc version that executables may require, written after the triple: `aarch64-unknown-linux-gnu.2.28`.
    pub glibc: Option<(u32, u32)>,
    /// OCI platform: `linux/arm64`.
    pub platform: Platform,
}

impl Target {
    /// Parses a triple, or the alias of one, such as `arm64`, and finds its OCI platform.
    ///
    /// # Errors
    /// When no containers exist for the triple, or it is unknown; the message is for the user.
    pub fn new(triple: &str) -> Result<Self, String> {
        let (triple, glibc) = match triple.split_once('.') {
            Some((bare, version)) => match crate::elf::glibc(&format!("GLIBC_{version}")) {
                Some(floor) if bare.ends_with("-gnu") || bare.contains("-gnueabi") => (bare, Some(floor)),
                _ => return Err(format!("`{version}` after `{bare}` is not a glibc version such as `2.28`")),
            },
            None => (triple, None),
        };
        let triple = ALIASES.iter().find(|(alias, _)| *alias == triple).map_or(triple, |(_, full)| full);
        let mut parts = triple.split('-');
        let cpu = parts.next().unwrap_or_default();
        if !parts.any(|part| part == "linux") {
            return Err(format!("`{triple}` is not a Linux target; images run on Linux: try `aarch64-unknown-linux-gnu`"));
        }
        let (architecture, variant) = match cpu {
            "aarch64" => ("arm64", None),
            "x86_64" => ("amd64", None),
            "armv7" | "thumbv7neon" => ("arm", Some("v7")),
            "arm" => ("arm", Some("v6")),
            cpu if cpu.starts_with("riscv64") => ("riscv64", None),
            "i686" | "i586" => ("386", None),
            "powerpc64le" => ("ppc64le", None),
            "s390x" => ("s390x", None),
            _ => {
                return Err(format!(
                    "the target `{triple}` has the unknown processor `{cpu}`; known are aarch64, x86_64, armv7 and riscv64gc"
                ));
            }
        };
        let library = triple.rsplit('-').next().unwrap_or_default();
        if !["gnu", "musl", "uclibc", "ohos", "none"].iter().any(|known| library.starts_with(known)) {
            return Err(format!(
                "the target `{triple}` has the unknown C library `{library}`; known are gnu, gnueabihf, musl and musleabihf"
            ));
        }
        let variant = variant.map(str::to_owned);
        Ok(Self {
            triple: triple.into(),
            glibc,
            platform: Platform { architecture: architecture.into(), os: "linux".into(), variant },
        })
    }

    /// Processors whose names stand for a whole triple.
    pub fn aliases() -> [&'static str; 4] {
        ALIASES.map(|(alias, _)| alias)
    }

    /// The name of its folder among those of several targets: `linux-arm64`.
    pub fn folder(&self) -> String {
        self.platform.to_string().replace('/', "-")
    }

    /// Whether an ELF file is built for this platform.
    pub fn runs(&self, machine: Machine) -> bool {
        machine.name() == self.platform.architecture
    }

    /// Whether executables link musl, and so are static by default.
    pub fn is_musl(&self) -> bool {
        self.triple.contains("musl")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triples() {
        let shown = |triple: &str| Target::new(triple).map(|t| t.platform.to_string());
        assert_eq!(shown("aarch64-unknown-linux-gnu"), Ok("linux/arm64".into()));
        assert_eq!(shown("armv7-unknown-linux-gnueabihf"), Ok("linux/arm/v7".into()));
        assert_eq!(shown("riscv64gc-unknown-linux-gnu"), Ok("linux/riscv64".into()));
        assert_eq!(shown("x86_64-unknown-linux-musl"), Ok("linux/amd64".into()));
        for (alias, triple) in ALIASES {
            assert_eq!(Target::new(alias), Target::new(triple));
        }
        let floor = Target::new("aarch64-unknown-linux-gnu.2.28").expect("target");
        assert_eq!((floor.triple.as_str(), floor.glibc), ("aarch64-unknown-linux-gnu", Some((2, 28))));
        assert!(shown("aarch64-unknown-linux-musl.2.28").is_err() && shown("aarch64-unknown-linux-gnu.x").is_err());
        assert!(shown("aarch64-apple-darwin").is_err() && shown("sparc64-unknown-linux-gnu").is_err());
        assert!(shown("aarch64-unknown-linux-gun").is_err_and(|why| why.contains("the unknown C library `gun`")));
    }
}
