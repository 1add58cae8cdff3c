//! Names that have to fit several formats at once (`docs/file-format.md`, sections 2.7 and 4.1).

use std::fmt;

use serde::Serialize;

/// The name of an app or a service: `[a-z0-9_-]+` for AuterionOS, and a part of a repository name for OCI.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Name(String);

impl Name {
    /// Checks a name.
    ///
    /// # Errors
    /// When the name is not valid; the message is for the user and suggests a valid name if there is a similar one.
    pub fn new(text: &str) -> Result<Self, String> {
        if is_repository_part(text) && !text.contains('.') && text.len() <= 128 {
            return Ok(Self(text.to_owned()));
        }
        let near = Self::near(text);
        let help = if near.is_empty() { String::new() } else { format!(", such as `{near}`") };
        Err(format!("`{text}` cannot be a name: use lower-case letters, digits, and single `-` or `_` between them{help}"))
    }

    /// The valid name nearest to `text`; empty if there is none.
    pub fn near(text: &str) -> String {
        let lower: String = text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
        lower.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*` (OCI distribution-spec, "Pulling manifests").
fn is_repository_part(text: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separators: Vec<&str> = text.split(alphanumeric).filter(|s| !s.is_empty()).collect();
    text.starts_with(alphanumeric)
        && text.ends_with(alphanumeric)
        && separators.iter().all(|s| matches!(*s, "." | "_" | "__") || s.chars().all(|c| c == '-'))
}

/// The publisher of an app, as a reverse domain: `[a-z]+(\.[a-z][a-z0-9_-]*)*`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Author(String);

impl Author {
    /// Checks an author.
    ///
    /// # Errors
    /// In words for the user.
    pub fn new(text: &str) -> Result<Self, String> {
        let mut parts = text.split('.');
        let first = parts.next().unwrap_or_default();
        let first_fits = !first.is_empty() && first.chars().all(|c| c.is_ascii_lowercase());
        let rest_fits = parts.all(|part| part.starts_with(|c: char| c.is_ascii_lowercase()) && is_repository_part(part));
        if first_fits && rest_fits {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("`{text}` cannot be an author: use a reverse domain in lower case, such as `com.example`"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A version, and its form as an image tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Version {
    /// As the user wrote it.
    pub written: String,
    /// The form for image tags and file names, where `+` is not allowed and becomes `-`.
    pub tag: String,
}

impl Version {
    /// Checks a version.
    ///
    /// # Errors
    /// When it cannot be mapped to an image tag, `[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`.
    pub fn new(text: &str) -> Result<Self, String> {
        let tag = text.replace('+', "-");
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        let begins = tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        if !begins || tag.len() > 128 || !tag.chars().all(allowed) {
            return Err(format!("`{text}` cannot be a version: an image's tag has at most 128 letters, digits, `_`, `.`, `-`"));
        }
        Ok(Self { written: text.to_owned(), tag })
    }

    /// Whether the tag differs from the version as written.
    pub fn is_mapped(&self) -> bool {
        self.written != self.tag
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.tag)
    }
}

/// Maximum length of an image's name with its registry, in bytes.
const LONGEST: usize = 255;

/// The name of an image, `NAME:TAG` with an optional registry in front. For an image from elsewhere, any reference that an engine accepts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ImageRef(String);

impl ImageRef {
    /// Joins the name and tag of an image that this tool builds.
    pub fn new(name: &str, tag: &str) -> Self {
        Self(format!("{name}:{tag}"))
    }

    /// Takes the name of an image from elsewhere as it is written.
    pub fn foreign(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Parses a reference without a digest; the tag is `latest` if there is none.
    ///
    /// # Errors
    /// In words for the user.
    pub fn parse(text: &str) -> Result<Self, String> {
        let written = Self::foreign(text);
        let (name, tag) = (written.name(), written.tag());
        let (domain, path) = match name.split_once('/') {
            Some((domain, path)) if domain.contains(['.', ':']) || domain == "localhost" => (Some(domain), path),
            _ => (None, name),
        };
        let domain_fits = domain.is_none_or(|d| d.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':')));
        if !domain_fits || path.is_empty() || !path.split('/').all(is_repository_part) {
            return Err(format!("`{text}` is not the name of an image"));
        }
        Version::new(tag).ok().filter(|version| !version.is_mapped()).ok_or_else(|| format!("`{tag}` is not an image's tag"))?;
        Self::new(name, tag).not_too_long()
    }

    /// The name without the tag.
    pub fn name(&self) -> &str {
        self.parts().0
    }

    /// The tag; `latest` if there is none.
    pub fn tag(&self) -> &str {
        self.parts().1
    }

    fn parts(&self) -> (&str, &str) {
        match self.0.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (&self.0, "latest"),
        }
    }

    /// The whole name as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same name with another tag.
    pub fn tagged(&self, tag: &str) -> Self {
        Self::new(self.name(), tag)
    }

    /// Checks the length of the name, with its registry (distribution, "reference").
    ///
    /// # Errors
    /// In words for the user.
    pub fn not_too_long(self) -> Result<Self, String> {
        let length = self.canonical().len() - self.tag().len() - 1;
        if length > LONGEST {
            let (name, ours) = (self.name(), self.name().len());
            return Err(format!("the image's name `{name}` has {ours} bytes; at most {} are allowed", ours + LONGEST - length));
        }
        Ok(self)
    }

    /// The canonical form of a short or long name. Text that is not a name stays as it is.
    pub fn canonical_of(text: &str) -> String {
        Self::parse(text).map_or_else(|_| text.to_owned(), |reference| reference.canonical())
    }

    /// Adds the registry and path that Docker adds to short names (distribution/reference, "ParseNormalizedNamed").
    pub fn canonical(&self) -> String {
        let (registry, path) = match self.name().split_once('/') {
            Some((first, path)) if first.contains(['.', ':']) || first == "localhost" => (first, path),
            _ => ("docker.io", self.name()),
        };
        let registry = if registry == "index.docker.io" { "docker.io" } else { registry };
        let library = if registry == "docker.io" && !path.contains('/') { "library/" } else { "" };
        format!("{registry}/{library}{path}:{}", self.tag())
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for ImageRef {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["a", "camera-control", "a--b", "a_b", "a__b", "9"] {
            assert!(Name::new(good).is_ok(), "{good}");
        }
        for bad in ["", "A", "-a", "a-", "a.b", "a___b", "a-_b", "ä", "a b"] {
            assert!(Name::new(bad).is_err(), "{bad}");
        }
        assert!(Name::new("Camera_Control").expect_err("bad").ends_with("such as `camera-control`"));
    }

    #[test]
    fn authors() {
        assert!(Author::new("com.example").is_ok() && Author::new("com.a1-b").is_ok());
        for bad in ["", "Com", "com.", "com.1a", "c1", "com..x", "com.x-"] {
            assert!(Author::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn build_metadata_is_mapped() {
        let version = Version::new("1.2.3+g12").expect("version");
        assert_eq!((version.tag.as_str(), version.is_mapped()), ("1.2.3-g12", true));
        assert!(Version::new("").is_err() && Version::new("-1").is_err() && Version::new("a b").is_err());
    }

    #[test]
    fn references() {
        let full = |text: &str| ImageRef::parse(text).map(|r| r.canonical());
        assert_eq!(full("a:1"), Ok("docker.io/library/a:1".into()));
        for same in ["docker.io/a:1", "docker.io/library/a:1", "index.docker.io/a:1", "library/a:1"] {
            assert_eq!(full(same), full("a:1"));
        }
        assert_eq!(full("docker.io/a/b"), Ok("docker.io/a/b:latest".into()));
        assert_eq!(full("localhost:5000/a:1"), Ok("localhost:5000/a:1".into()));
        assert!(full("a:#VERSION#").is_err() && full("A:1").is_err() && full(":1").is_err());
    }
}
