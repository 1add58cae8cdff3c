//! Names of packages across ecosystems: `pkg:cargo/rsa@0.9.6` (Package URL specification, 1.0).

use std::fmt;

/// A package URL, without its qualifiers and its path inside the package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Purl {
    /// `cargo`, `deb`, `oci`, …
    pub kind: String,
    /// What stands between the type and the name: `debian`.
    pub namespace: Option<String>,
    /// The package's name.
    pub name: String,
    /// Its version; without one, all are meant.
    pub version: Option<String>,
}

impl Purl {
    /// A crate.
    pub fn of_crate(name: &str, version: &str) -> Self {
        Self { kind: "cargo".into(), namespace: None, name: name.into(), version: Some(version.into()) }
    }

    /// What no registry has, such as an app.
    pub fn generic(name: &str, version: &str) -> Self {
        Self { kind: "generic".into(), namespace: None, name: name.into(), version: Some(version.into()) }
    }

    /// It with qualifiers, sorted by name. Those without a value are left out.
    pub fn qualified(&self, qualifiers: &[(&str, &str)]) -> String {
        let mut text = self.to_string();
        for (name, value) in qualifiers.iter().filter(|(_, value)| !value.is_empty()) {
            text.push(if text.contains('?') { '&' } else { '?' });
            text.push_str(&format!("{name}={}", encoded(value)));
        }
        text
    }

    /// A package of Debian.
    pub fn of_debian(name: &str, version: &str) -> Self {
        Self { kind: "deb".into(), namespace: Some("debian".into()), name: name.into(), version: Some(version.into()) }
    }

    /// Reads one; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("pkg:")?.trim_start_matches('/');
        let rest = rest.split(['?', '#']).next()?;
        let (path, version) = match rest.rsplit_once('@') {
            Some((path, version)) => (path, Some(version)),
            None => (rest, None),
        };
        let (kind, path) = path.split_once('/')?;
        let (namespace, name) = match path.trim_matches('/').rsplit_once('/') {
            Some((namespace, name)) => (Some(namespace), name),
            None => (None, path.trim_matches('/')),
        };
        let name = decoded(name)?;
        let purl = Self {
            kind: kind.to_ascii_lowercase(),
            namespace: namespace.map(decoded).map_or(Some(None), |text| text.map(Some))?,
            name,
            version: version.map(decoded).map_or(Some(None), |text| text.map(Some))?,
        };
        (!purl.kind.is_empty() && !purl.name.is_empty()).then_some(purl)
    }

    /// Whether it means this package. A name without a version means all versions, one without a namespace any namespace.
    pub fn means(&self, other: &Self) -> bool {
        let says = |own: &Option<String>, other: &Option<String>| own.is_none() || own == other;
        self.kind == other.kind
            && self.name == other.name
            && says(&self.namespace, &other.namespace)
            && says(&self.version, &other.version)
    }
}

impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pkg:{}/", self.kind)?;
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        f.write_str(&encoded(&self.name))?;
        match &self.version {
            Some(version) => write!(f, "@{}", encoded(version)),
            None => Ok(()),
        }
    }
}

fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b':' => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn decoded(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok())?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = rest.get(2..)?;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for text in ["pkg:cargo/rsa@0.9.6", "pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14%2Bdeb12u1", "pkg:cargo/a@1.0.0%2Bb"] {
            assert_eq!(Purl::parse(text).expect(text).to_string(), text);
        }
        let purl = Purl::parse("pkg://DEB/debian/libc6@2.36-9+deb12u4?arch=arm64&distro=bookworm#usr").expect("a name");
        assert_eq!(purl, Purl::of_debian("libc6", "2.36-9+deb12u4"));
        for text in
            ["", "rsa", "pkg:cargo", "pkg:cargo/", "pkg:/x", "pkg:cargo/%zz", "pkg:cargo/%", "pkg:cargo/a@%ff", "pkg:cargo/%ü"]
        {
            assert_eq!(Purl::parse(text), None, "{text}");
        }
    }

    #[test]
    fn qualifiers_follow() {
        let url = Purl::of_crate("a", "1.0.0").qualified(&[("vcs_url", "git+https://example.com/a@abc")]);
        assert_eq!(url, "pkg:cargo/a@1.0.0?vcs_url=git%2Bhttps:%2F%2Fexample.com%2Fa%40abc");
        let url = Purl::of_debian("libc6", "2.36").qualified(&[("arch", "arm64"), ("distro", "")]);
        assert_eq!(url, "pkg:deb/debian/libc6@2.36?arch=arm64");
    }

    #[test]
    fn what_is_not_said_means_all() {
        let means = |one: &str, other: &str| Purl::parse(one).expect(one).means(&Purl::parse(other).expect(other));
        assert!(means("pkg:cargo/rsa", "pkg:cargo/rsa@0.9.6") && means("pkg:cargo/rsa@0.9.6", "pkg:cargo/rsa@0.9.6"));
        assert!(!means("pkg:cargo/rsa@0.9.5", "pkg:cargo/rsa@0.9.6") && !means("pkg:npm/rsa", "pkg:cargo/rsa@0.9.6"));
        assert!(!means("pkg:cargo/rsa@0.9.6", "pkg:cargo/rsa"));
        assert!(!means("pkg:deb/ubuntu/libc6", "pkg:deb/debian/libc6@1") && means("pkg:deb/libc6", "pkg:deb/debian/libc6@1"));
    }
}
