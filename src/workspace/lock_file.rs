//! Cargo's lock file.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

#[derive(Deserialize)]
struct LockedPackages {
    #[serde(default)]
    package: Vec<LockedPackage>,
}

#[derive(Deserialize)]
struct LockedPackage {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
}

/// Checksums of packages by name, version and source.
pub type Checksums = BTreeMap<(String, String, Option<String>), String>;

/// Reads the checksums of all packages that have one.
///
/// # Errors
/// When the file cannot be read.
pub fn checksums(path: &Path) -> Result<Checksums> {
    let text = fs_err::read_to_string(path)?;
    let all: LockedPackages = toml::from_str(&text).with_context(|| format!("failed to read `{}`", path.display()))?;
    let of = |package: LockedPackage| Some(((package.name, package.version, package.source), package.checksum?));
    Ok(all.package.into_iter().filter_map(of).collect())
}
