//! What `appbundle.lock` holds of a base of Debian packages: which, of which version, from where, with which sum.

use serde::{Deserialize, Serialize};

use super::recipe::{Distribution, Recipe};
use crate::digest::Digest;
use crate::oci::Descriptor;

/// The packages of a base, for one architecture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DebianPin {
    /// Whose packages.
    pub distribution: Distribution,
    /// The suite's code name.
    pub suite: String,
    /// Debian's name of the architecture.
    pub architecture: String,
    /// The requested packages.
    pub requested: Vec<String>,
    /// Whether it includes all `Essential` packages.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub essential: bool,
    /// The packages that were left out, although others depend on them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// The signed lists of the archive.
    #[serde(rename = "release")]
    pub releases: Vec<ReleasePin>,
    /// The packages, by name.
    #[serde(rename = "package")]
    pub packages: Vec<PackagePin>,
}

/// A signed list of an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ReleasePin {
    /// The code name that it has: `bookworm-security`.
    pub suite: String,
    /// When it was made.
    pub date: String,
    /// Sum of `InRelease`.
    pub digest: Digest,
}

/// A package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PackagePin {
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// `arm64`, or `all`.
    pub architecture: String,
    /// The suite that had it, if it is not the base's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<String>,
    /// Path below the archive.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// KiB of what it unpacks to.
    pub installed: u64,
    /// Sum.
    pub digest: Digest,
    /// The package that depends on it; none if it was requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed_by: Option<String>,
}

impl DebianPin {
    /// Whether it is of a recipe and an architecture.
    pub fn is_of(&self, recipe: &Recipe, architecture: &str) -> bool {
        (self.distribution, &self.suite, self.architecture.as_str(), self.essential)
            == (recipe.distribution, &recipe.suite, architecture, recipe.essential)
            && self.requested == recipe.packages
            && self.without == recipe.without
    }

    /// Whether another pin is of the same base.
    pub fn is_same_base(&self, other: &Self) -> bool {
        self.order() == other.order()
    }

    /// What pins are sorted by.
    pub fn order(&self) -> impl Ord + '_ {
        (self.distribution, &self.suite, &self.architecture, &self.requested, self.essential, &self.without)
    }

    /// The package of a name.
    pub fn package(&self, name: &str) -> Option<&PackagePin> {
        self.packages.iter().find(|package| package.name == name)
    }

    /// Bytes of all packages.
    pub fn size(&self) -> u64 {
        self.packages.iter().fold(0, |sum, package| sum.saturating_add(package.size))
    }
}

impl PackagePin {
    /// The name of its file, as archives have it.
    pub fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Its sum and size.
    pub fn descriptor(&self) -> Descriptor {
        crate::registry::described(self.digest, self.size)
    }
}
