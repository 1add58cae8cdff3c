//! Where a crate is from.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The source of a crate, without credentials, and without folders of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// crates.io, or a mirror of it.
    CratesIo,
    /// Another registry, by the address of its index.
    Registry(String),
    /// A Git repository.
    Git {
        /// Its address.
        url: String,
        /// The commit.
        commit: Option<String>,
    },
    /// A folder, as of the workspace's own packages.
    Local,
    /// What a list of crates says of one whose source is not known here.
    Other(String),
}

impl Origin {
    /// Reads a source as a lock file has it; `None` is a folder.
    pub fn of(source: Option<&str>) -> Self {
        let Some(source) = source else { return Self::Local };
        match source.split_once('+') {
            Some(("registry", "https://github.com/rust-lang/crates.io-index")) | Some(("sparse", "https://index.crates.io/")) => {
                Self::CratesIo
            }
            Some(("registry" | "sparse" | "local-registry" | "directory", url)) => Self::Registry(bare(url)),
            Some(("git", url)) => {
                let (url, commit) = url.split_once('#').map_or((url, None), |(url, commit)| (url, Some(commit.to_owned())));
                Self::Git { url: bare(url.split('?').next().unwrap_or(url)), commit }
            }
            Some(("path", _)) => Self::Local,
            _ => Self::Other(source.split('+').next().unwrap_or_default().to_owned()),
        }
    }

    /// Reads the word that a list of crates has for it.
    pub fn of_word(word: &str) -> Self {
        match word {
            "crates.io" => Self::CratesIo,
            "registry" => Self::Registry(String::new()),
            "git" => Self::Git { url: String::new(), commit: None },
            "local" => Self::Local,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// The word that a list of crates has for it.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CratesIo => "crates.io",
            Self::Registry(_) => "registry",
            Self::Git { .. } => "git",
            Self::Local => "local",
            Self::Other(word) => word,
        })
    }
}

/// An address without user and password. One of a folder is left out.
fn bare(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return String::new() };
    if scheme == "file" {
        return String::new();
    }
    let (host, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
    let host = host.rsplit('@').next().unwrap_or(host);
    path.map_or_else(|| format!("{scheme}://{host}"), |path| format!("{scheme}://{host}/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_credentials_nor_folders_stay() {
        for (source, expected, word) in [
            (Some("registry+https://github.com/rust-lang/crates.io-index"), Origin::CratesIo, "crates.io"),
            (
                Some("sparse+https://me:secret@example.com/index/"),
                Origin::Registry("https://example.com/index/".into()),
                "registry",
            ),
            (
                Some("git+https://token@example.com/a/b?branch=x@y#0123abcd"),
                Origin::Git { url: "https://example.com/a/b".into(), commit: Some("0123abcd".into()) },
                "git",
            ),
            (Some("git+ssh://git@example.com/a.git"), Origin::Git { url: "ssh://example.com/a.git".into(), commit: None }, "git"),
            (Some("git+file:///home/me/a#0123"), Origin::Git { url: String::new(), commit: Some("0123".into()) }, "git"),
            (Some("local-registry+file:///home/me/a"), Origin::Registry(String::new()), "registry"),
            (Some("path+file:///home/me/a"), Origin::Local, "local"),
            (None, Origin::Local, "local"),
            (Some("hg+https://example.com"), Origin::Other("hg".into()), "hg"),
        ] {
            let origin = Origin::of(source);
            assert_eq!(origin, expected);
            assert_eq!(origin.to_string(), word);
            assert_eq!(Origin::of_word(word).to_string(), word);
        }
    }
}
