//! The records by which scanners know of which packages the libraries of the base `auto` are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::apt::{self, FileOwner};
use crate::fs::Stamp;
use crate::segment::LayerMember;

/// Where dpkg keeps its own.
const STATUS: &str = "/var/lib/dpkg/status";

/// The fields of `os-release` that tell the distribution and its release (os-release(5)).
const OF_RELEASE: [&str; 8] =
    ["PRETTY_NAME", "NAME", "ID", "ID_LIKE", "VERSION_ID", "VERSION", "VERSION_CODENAME", "UBUNTU_CODENAME"];

/// The owners of libraries, and what they depend on.
#[derive(Serialize, Deserialize)]
struct KnownOwners {
    stamps: Vec<(PathBuf, Stamp)>,
    owners: BTreeMap<PathBuf, FileOwner>,
}

/// The owners of libraries, looked up again only if a library or dpkg's records have changed. `cache` is a folder.
fn owners(libraries: &BTreeSet<PathBuf>, cache: &Path) -> Result<BTreeMap<PathBuf, FileOwner>> {
    let watched = libraries.iter().map(PathBuf::as_path).chain([Path::new(STATUS)]);
    let stamp = |path: &Path| Stamp::read(path).ok().map(|stamp| (path.to_owned(), stamp));
    let Some(stamps) = watched.map(stamp).collect::<Option<Vec<_>>>() else { return Ok(BTreeMap::new()) };
    let file = cache.join("owners.json");
    let known = std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice::<KnownOwners>(&bytes).ok());
    if let Some(known) = known.filter(|known| known.stamps == stamps) {
        return Ok(known.owners);
    }
    let owners = apt::owners(&libraries.iter().cloned().collect::<Vec<_>>());
    let known = KnownOwners { stamps, owners };
    crate::fs::write(&file, &serde_json::to_vec(&known)?)?;
    Ok(known.owners)
}

/// What the layer says of its libraries: a record for each of their packages, as distroless images have them, and the release that
/// the packages are of. Nothing if they are of no package.
///
/// # Errors
/// When the cache cannot be written.
pub fn members(libraries: &BTreeSet<PathBuf>, cache: &Path, epoch: u64) -> Result<Vec<LayerMember>> {
    let owners: BTreeSet<FileOwner> = owners(libraries, cache)?.into_values().collect();
    let mut members = Vec::new();
    if owners.is_empty() {
        return Ok(members);
    }
    for folder in ["var", "var/lib", "var/lib/dpkg", "var/lib/dpkg/status.d"] {
        members.push(LayerMember::folder(folder, 0o755, epoch));
    }
    for owner in &owners {
        let path = format!("var/lib/dpkg/status.d/{}", owner.package);
        members.push(LayerMember::bytes(&path, 0o644, epoch, record(owner).into_bytes()));
    }
    let own = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let kept = own.lines().filter(|line| line.split_once('=').is_some_and(|(name, _)| OF_RELEASE.contains(&name)));
    let release: String = kept.map(|line| format!("{line}\n")).collect();
    members.push(LayerMember::bytes("etc/os-release", 0o644, epoch, release.into_bytes()));
    // Debian's and Ubuntu's own, by which some scanners know them.
    for name in ["etc/debian_version", "etc/lsb-release"] {
        let content = std::fs::read(Path::new("/").join(name)).ok();
        members.extend(content.map(|bytes| LayerMember::bytes(name, 0o644, epoch, bytes)));
    }
    Ok(members)
}

/// A record as dpkg has it.
fn record(owner: &FileOwner) -> String {
    let FileOwner { package, version, architecture, source: (source, source_version), maintainer, summary } = owner;
    let source = match (source == package, source_version == version) {
        (true, true) => String::new(),
        (false, true) => format!("Source: {source}\n"),
        (_, false) => format!("Source: {source} ({source_version})\n"),
    };
    format!(
        "Package: {package}\nStatus: install ok installed\nMaintainer: {maintainer}\nArchitecture: {architecture}\n{source}\
        Version: {version}\nDescription: {summary}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_names_the_source_that_has_the_bugs() {
        let owner = |source: &str, version: &str| FileOwner {
            package: "libc6-arm64-cross".into(),
            version: "2.36-8cross1".into(),
            architecture: "all".into(),
            source: (source.into(), version.into()),
            maintainer: "Me <me@example.com>".into(),
            summary: "GNU C Library".into(),
        };
        let text = record(&owner("glibc", "2.36-8"));
        assert!(text.contains("\nSource: glibc (2.36-8)\nVersion: 2.36-8cross1\n"), "{text}");
        assert!(record(&owner("glibc", "2.36-8cross1")).contains("\nSource: glibc\n"));
        assert!(!record(&owner("libc6-arm64-cross", "2.36-8cross1")).contains("Source"));
    }
}
