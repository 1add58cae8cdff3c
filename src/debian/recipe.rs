//! What the user asks of a base of Debian packages.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A distribution that is made of Debian packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Distribution {
    /// Debian.
    Debian,
    /// Ubuntu.
    Ubuntu,
}

impl Distribution {
    /// The name in `/etc/os-release`, and of the key.
    pub fn name(self) -> &'static str {
        match self {
            Self::Debian => "debian",
            Self::Ubuntu => "ubuntu",
        }
    }

    /// The name in text.
    pub fn title(self) -> &'static str {
        match self {
            Self::Debian => "Debian",
            Self::Ubuntu => "Ubuntu",
        }
    }

    /// The parts of the archive that are used.
    pub fn components(self) -> &'static [&'static str] {
        match self {
            Self::Debian => &["main"],
            Self::Ubuntu => &["main", "universe"],
        }
    }
}

/// A base of Debian packages.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Recipe {
    /// Whose packages.
    pub distribution: Distribution,
    /// The suite's code name: `bookworm`.
    pub suite: String,
    /// The requested packages, without their dependencies.
    pub packages: Vec<String>,
    /// Whether to include all `Essential` packages.
    pub essential: bool,
    /// Whether to leave out documentation and translations.
    pub slim: bool,
    /// Patterns of paths to leave out.
    pub exclude: Vec<String>,
    /// Packages to leave out, although others depend on them.
    pub without: Vec<String>,
    /// URL of the archive.
    pub mirror: Option<String>,
    /// URL of the archive of security updates.
    pub security_mirror: Option<String>,
    /// A file with the keys that sign.
    pub keyring: Option<PathBuf>,
    /// A point in time, as in the paths of a snapshot archive.
    pub snapshot: Option<String>,
    /// URL of an archive of snapshots, without the distribution's name.
    pub snapshot_mirror: Option<String>,
    /// A folder with packages.
    pub vendor: Option<PathBuf>,
    /// Packages whose scripts are skipped.
    pub skipped_scripts: BTreeSet<String>,
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.distribution.name(), self.suite)?;
        match &self.packages[..] {
            [] => Ok(()),
            packages if packages.len() <= 4 => write!(f, " with {}", packages.join(", ")),
            [first, second, rest @ ..] => write!(f, " with {first}, {second} and {} more", rest.len()),
            _ => Ok(()),
        }
    }
}

/// Debian's name of an architecture, by that of OCI and its variant.
pub fn architecture(name: &str, variant: Option<&str>) -> String {
    match (name, variant) {
        ("arm", Some("v6" | "v5")) => "armel",
        ("arm", _) => "armhf",
        ("386", _) => "i386",
        ("ppc64le", _) => "ppc64el",
        (name, _) => name,
    }
    .to_owned()
}

impl Recipe {
    /// A suite without any package, as it is if nothing more is said.
    pub fn new(distribution: Distribution, suite: &str) -> Self {
        Self {
            distribution,
            suite: suite.to_owned(),
            packages: Vec::new(),
            essential: false,
            slim: true,
            exclude: Vec::new(),
            without: Vec::new(),
            mirror: None,
            security_mirror: None,
            keyring: None,
            snapshot: None,
            snapshot_mirror: None,
            vendor: None,
            skipped_scripts: BTreeSet::new(),
        }
    }
}
