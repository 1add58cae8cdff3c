//! Whose packages an advisory is about.

use std::fmt;

use serde::Serialize;

use super::events::VersionOrder;

/// Whose names and versions a package has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ecosystem {
    /// Cargo's public registry.
    Crates,
    /// Source packages of a Debian release, such as `12`; of all, where none is named.
    Debian(Option<String>),
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crates => f.write_str("crates.io"),
            Self::Debian(Some(release)) => write!(f, "Debian:{release}"),
            Self::Debian(None) => f.write_str("Debian"),
        }
    }
}

impl Serialize for Ecosystem {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Ecosystem {
    /// In OSV's words; `None` for those that are not looked at here.
    pub fn named(name: &str) -> Option<Self> {
        match name.split_once(':') {
            None if name == "crates.io" => Some(Self::Crates),
            None if name == "Debian" => Some(Self::Debian(None)),
            Some(("Debian", release)) => Some(Self::Debian(Some(release.to_owned()))),
            _ => None,
        }
    }

    /// Whether it is Debian.
    pub fn is_debian(&self) -> bool {
        matches!(self, Self::Debian(_))
    }

    /// How its versions are ordered.
    pub fn order(&self) -> VersionOrder {
        match self {
            Self::Crates => VersionOrder::Semver,
            Self::Debian(_) => VersionOrder::Dpkg,
        }
    }
}
