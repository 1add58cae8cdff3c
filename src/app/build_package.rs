//! A Debian package that compiling needs.

use std::fmt;

use serde::{Serialize, Serializer};

/// Debian's names of architectures (`dpkg-architecture -L`, those with Linux and glibc that Debian or Ubuntu build packages for).
const ARCHITECTURES: [&str; 13] = [
    "amd64", "arm64", "armel", "armhf", "i386", "loong64", "mips64el", "mipsel", "powerpc", "ppc64", "ppc64el", "riscv64",
    "s390x",
];

/// Packages that end in `-dev` and yet are of use to compilers alone, which run on this machine: bindgen loads libclang.
const OF_COMPILERS: [&str; 3] = ["libclang", "libllvm", "llvm"];

/// A Debian package that compiling needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BuildPackage {
    /// Its name.
    pub name: String,
    /// The machine that it is for.
    pub on: PackageFor,
}

/// The machine that a package is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PackageFor {
    /// The one that compiles.
    Host,
    /// The one that the services run on.
    Target,
    /// One with this architecture, as Debian names it.
    Of(String),
}

impl BuildPackage {
    /// Reads `NAME`, `NAME:ARCHITECTURE` or `NAME:native` (deb-src-control(5)). Without an architecture, a library is for the target, and all else for
    /// the machine that compiles.
    ///
    /// # Errors
    /// When that is no package's name, or no architecture; the message is for the user.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, architecture) = match text.split_once(':') {
            Some((name, architecture)) => (name, Some(architecture)),
            None => (text, None),
        };
        if !is_name(name) {
            return Err(format!("`{name}` is not the name of a Debian package, such as `libssl-dev`"));
        }
        let on = match architecture {
            None if is_library(name) => PackageFor::Target,
            None | Some("native") => PackageFor::Host,
            Some(known) if ARCHITECTURES.contains(&known) => PackageFor::Of(known.to_owned()),
            Some(other) => {
                return Err(format!("`{other}` in `{text}` is not an architecture of Debian, such as `arm64`, and not `native`"));
            }
        };
        Ok(Self { name: name.to_owned(), on })
    }

    /// What apt calls it: `NAME`, or `NAME:ARCHITECTURE` where that is another than the host's.
    pub fn on(&self, host: &str, target: &str) -> String {
        let architecture = match &self.on {
            PackageFor::Host => host,
            PackageFor::Target => target,
            PackageFor::Of(architecture) => architecture,
        };
        if architecture == host { self.name.clone() } else { format!("{}:{architecture}", self.name) }
    }
}

/// Debian Policy, 5.6.1.
fn is_name(name: &str) -> bool {
    let is_lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    name.len() > 1 && name.bytes().all(|b| is_lower(b) || b"+-.".contains(&b)) && name.bytes().next().is_some_and(is_lower)
}

fn is_library(name: &str) -> bool {
    name.ends_with("-dev") && !OF_COMPILERS.iter().any(|prefix| name.starts_with(prefix))
}

/// As it is written.
impl fmt::Display for BuildPackage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.on {
            PackageFor::Of(architecture) => write!(f, "{}:{architecture}", self.name),
            PackageFor::Host if is_library(&self.name) => write!(f, "{}:native", self.name),
            _ => f.write_str(&self.name),
        }
    }
}

impl Serialize for BuildPackage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_for_the_target_and_tools_for_the_host() {
        for (text, on_arm64, on_amd64) in [
            ("libssl-dev", "libssl-dev:arm64", "libssl-dev"),
            ("protobuf-compiler", "protobuf-compiler", "protobuf-compiler"),
            ("libclang-dev", "libclang-dev", "libclang-dev"),
            ("libssl-dev:native", "libssl-dev", "libssl-dev"),
            ("libssl-dev:armhf", "libssl-dev:armhf", "libssl-dev:armhf"),
            ("cmake:amd64", "cmake", "cmake"),
        ] {
            let package = BuildPackage::parse(text).expect(text);
            assert_eq!(
                (package.on("amd64", "arm64"), package.on("amd64", "amd64")),
                (on_arm64.into(), on_amd64.into()),
                "{text}"
            );
            assert_eq!(package.to_string(), text);
        }
        for bad in [
            "",
            "-x",
            "LibSSL",
            "lib ssl",
            "libssl-dev=1",
            "a",
            "libssl-dev:",
            "libssl-dev:any",
            "libssl-dev:x86_64",
            "a/b",
            "ab;x",
        ] {
            assert!(BuildPackage::parse(bad).is_err(), "{bad}");
        }
    }
}
