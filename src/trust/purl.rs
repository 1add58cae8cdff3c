//! Package URLs: names of packages that hold across tools (the purl specification, version 1).

use std::collections::BTreeMap;
use std::fmt;

/// A package URL, such as `pkg:cargo/serde@1.0.228`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Purl {
    kind: &'static str,
    namespace: Option<String>,
    name: String,
    version: Option<String>,
    qualifiers: BTreeMap<&'static str, String>,
}

impl Purl {
    /// A crate. `source` is where it is from if not from crates.io: `repository_url`, `vcs_url` or `download_url` with its value.
    pub fn of_crate(name: &str, version: &str, source: Option<(&'static str, String)>) -> Self {
        Self {
            kind: "cargo",
            namespace: None,
            name: name.to_owned(),
            version: Some(version.to_owned()),
            qualifiers: source.into_iter().collect(),
        }
    }

    /// A Debian package. `distribution` is `debian` or `ubuntu`, `distro` its release, such as `debian-12`.
    pub fn of_deb(distribution: &str, name: &str, version: &str, architecture: &str, distro: Option<&str>) -> Self {
        let mut qualifiers = BTreeMap::from([("arch", architecture.to_owned())]);
        qualifiers.extend(distro.map(|distro| ("distro", distro.to_owned())));
        Self {
            kind: "deb",
            namespace: Some(distribution.to_owned()),
            name: name.to_owned(),
            version: Some(version.to_owned()),
            qualifiers: qualifiers.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
        }
    }

    /// An app or a library that no registry has.
    pub fn generic(name: &str, version: &str) -> Self {
        let (name, version) = (name.to_owned(), Some(version.to_owned()));
        Self { kind: "generic", namespace: None, name, version, qualifiers: BTreeMap::new() }
    }
}

impl fmt::Display for Purl {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "pkg:{}/", self.kind)?;
        if let Some(namespace) = &self.namespace {
            write!(to, "{}/", escaped(namespace))?;
        }
        to.write_str(&escaped(&self.name))?;
        if let Some(version) = &self.version {
            write!(to, "@{}", escaped(version))?;
        }
        for (at, (name, value)) in self.qualifiers.iter().enumerate() {
            write!(to, "{}{name}={}", if at == 0 { '?' } else { '&' }, escaped(value))?;
        }
        Ok(())
    }
}

/// What the specification has plain: letters, digits, `.-_~` and the colon. All else is written by its bytes.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_~:".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_canonical() {
        assert_eq!(Purl::of_crate("serde", "1.0.228", None).to_string(), "pkg:cargo/serde@1.0.228");
        assert_eq!(Purl::of_crate("zstd-sys", "2.0.16+zstd.1.5.7", None).to_string(), "pkg:cargo/zstd-sys@2.0.16%2Bzstd.1.5.7");
        let git = Some(("vcs_url", "git+https://example.com/a@abc".to_owned()));
        assert_eq!(
            Purl::of_crate("a", "1.0.0", git).to_string(),
            "pkg:cargo/a@1.0.0?vcs_url=git%2Bhttps:%2F%2Fexample.com%2Fa%40abc"
        );
        let deb = Purl::of_deb("debian", "libstdc++6", "1:12.2~x", "arm64", Some("debian-12"));
        assert_eq!(deb.to_string(), "pkg:deb/debian/libstdc%2B%2B6@1:12.2~x?arch=arm64&distro=debian-12");
        assert_eq!(Purl::generic("com.example.demo", "1.2.3").to_string(), "pkg:generic/com.example.demo@1.2.3");
    }
}
