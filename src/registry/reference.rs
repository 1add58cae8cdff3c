//! Names of images in registries.

use std::fmt;
use std::str::FromStr;

use crate::digest::Digest;

/// The registry of short names.
const HUB: &str = "docker.io";

/// `HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]`, complete: short names have got Docker Hub's host and `library/`, a name without
/// tag and digest the tag `latest` (distribution-spec, "Pulling manifests"; distribution/reference).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// `docker.io`, `ghcr.io`, `localhost:5000`.
    pub registry: String,
    /// `library/debian`
    pub repository: String,
    /// None only beside a digest.
    pub tag: Option<String>,
    /// A pinned reference has one; it is what counts.
    pub digest: Option<Digest>,
}

impl Reference {
    /// The host that answers for the registry: Docker Hub's API stands elsewhere than its name says.
    pub fn host(&self) -> &str {
        if self.registry == HUB { "registry-1.docker.io" } else { &self.registry }
    }

    /// The same repository and tag, fixed to a digest.
    #[must_use]
    pub fn at(&self, digest: Digest) -> Self {
        Self { digest: Some(digest), ..self.clone() }
    }

    /// What stands behind `/manifests/` in a URL: the digest, else the tag.
    pub fn version(&self) -> String {
        self.digest.map_or_else(|| self.tag.clone().unwrap_or_else(|| "latest".into()), |digest| digest.to_string())
    }
}

impl FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("`{text}` is not an image reference: {why}");
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest.parse().map_err(|_| wrong("its digest is not `sha256:` and 64 digits"))?)),
            None => (text, None),
        };
        let (name, tag) = match name.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag.to_owned())),
            _ => (name, None),
        };
        let (registry, path) = match name.split_once('/') {
            Some((first, path)) if first.contains(['.', ':']) || first == "localhost" => (first, path),
            _ => (HUB, name),
        };
        let registry = if matches!(registry, "index.docker.io" | "registry-1.docker.io") { HUB } else { registry };
        let repository = if registry == HUB && !path.contains('/') { format!("library/{path}") } else { path.to_owned() };
        if !is_host(registry) {
            let why = if text.contains("://") {
                "it must not begin with a scheme"
            } else {
                "its registry is not `HOST` or `HOST:PORT`"
            };
            return Err(wrong(why));
        }
        if path.is_empty() || repository.len() > 255 || !repository.split('/').all(is_repository_part) {
            return Err(wrong("a repository consists of lower-case letters, digits, `.`, `_`, `-` and `/`"));
        }
        if !tag.as_deref().is_none_or(is_tag) {
            return Err(wrong("a tag has at most 128 letters, digits, `_`, `.`, `-`"));
        }
        let tag = if tag.is_none() && digest.is_none() { Some("latest".to_owned()) } else { tag };
        Ok(Self { registry: registry.to_owned(), repository, tag, digest })
    }
}

impl serde::Serialize for Reference {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        self.tag.iter().try_for_each(|tag| write!(f, ":{tag}"))?;
        self.digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}

/// `HOST`, `HOST:PORT` or `[ADDRESS]:PORT`, of characters that need no quoting in a URL.
pub(super) fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host_fits = match bare {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')),
    };
    host_fits && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_repository_part(text: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let mut separators = text.split(alphanumeric).filter(|s| !s.is_empty());
    text.starts_with(alphanumeric)
        && text.ends_with(alphanumeric)
        && separators.all(|s| matches!(s, "." | "_" | "__") || s.chars().all(|c| c == '-'))
}

/// `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`
fn is_tag(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.starts_with(word) && text.len() <= 128 && text.chars().all(|c| word(c) || matches!(c, '.' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_become_whole() {
        let digest = Digest::of("x");
        let whole = |text: &str| text.parse::<Reference>().map(|reference| reference.to_string());
        assert_eq!(whole("debian"), Ok("docker.io/library/debian:latest".into()));
        assert_eq!(whole("a/b:1"), Ok("docker.io/a/b:1".into()));
        assert_eq!(whole("index.docker.io/a:1"), Ok("docker.io/library/a:1".into()));
        assert_eq!(whole("localhost:5000/a"), Ok("localhost:5000/a:latest".into()));
        assert_eq!(whole("[::1]:5000/a/b_c:v1.0"), Ok("[::1]:5000/a/b_c:v1.0".into()));
        assert_eq!(whole(&format!("ghcr.io/a/b@{digest}")), Ok(format!("ghcr.io/a/b@{digest}")));
        assert_eq!(whole(&format!("ghcr.io/a/b:1@{digest}")), Ok(format!("ghcr.io/a/b:1@{digest}")));
        assert_eq!("debian".parse::<Reference>().map(|r| r.host().to_owned()), Ok("registry-1.docker.io".into()));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for bad in ["", "A", "a//b", "a:", "a:b c", "host:5x/a", "h_st.x/a", "a@sha256:12", "-a", "a/../b", "x.y/", "user@h.x/a"]
        {
            assert!(bad.parse::<Reference>().is_err(), "{bad}");
        }
    }
}
