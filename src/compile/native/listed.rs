//! The packages that the app's table lists.

use crate::app::{BuildPackage, Target};
use crate::apt::Architecture;

/// The packages of the app's table as apt takes them on this machine. A target that is no architecture of Debian's takes those of the
/// same processor.
pub fn listed(packages: &[BuildPackage], target: &Target) -> Vec<String> {
    let host = Architecture::of_this_machine().map_or("amd64", |architecture| architecture.name);
    listed_on(packages, target, host)
}

/// As [`listed`], on a machine of another architecture.
pub fn listed_on(packages: &[BuildPackage], target: &Target, host: &str) -> Vec<String> {
    let triple = target.triple.replace("musl", "gnu");
    let architecture = Architecture::of_triple(&triple).map_or(host, |architecture| architecture.name);
    packages.iter().map(|package| package.on(host, architecture)).collect()
}
