//! What the manifest of a crate says of it, for those who receive what it is compiled into.

use std::path::PathBuf;

use cargo_metadata::Package;
use serde::{Deserialize, Serialize};

/// What is known of a crate besides what it is compiled into. All is missing if the executable was made elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AboutCrate {
    /// SHA-256 of its archive in the registry, as hexadecimal digits, from the lock file.
    pub checksum: Option<String>,
    /// `package.license`
    pub license: Option<String>,
    /// `package.license-file`, in its folder.
    pub license_file: Option<PathBuf>,
    /// `package.authors`
    pub authors: Vec<String>,
    /// `package.repository`
    pub repository: Option<String>,
    /// `package.links`: the C library that its build script links, or whose sources it contains.
    pub links: Option<String>,
    /// The folder of its sources on this machine.
    pub folder: Option<PathBuf>,
}

impl AboutCrate {
    /// Takes from Cargo's metadata what a manifest says.
    pub fn of(package: &Package, checksum: Option<String>) -> Self {
        Self {
            checksum,
            license: package.license.clone(),
            license_file: package.license_file.clone().map(Into::into),
            authors: package.authors.clone(),
            repository: package.repository.clone(),
            links: package.links.clone(),
            folder: package.manifest_path.parent().map(|folder| folder.as_std_path().to_owned()),
        }
    }
}
