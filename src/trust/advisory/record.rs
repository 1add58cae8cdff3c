//! An advisory, whatever form it was read from.

use semver::Version;
use serde::Deserialize;

use super::ecosystem::Ecosystem;
use super::events::{VersionEvent, affects, fixed_after};
use super::rating::Scored;
use super::safe_range::SafeRange;

/// One advisory. Those that were withdrawn are never made into a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Advisory {
    /// `RUSTSEC-2020-0071`, `DSA-5514-1`, `DEBIAN-CVE-2023-4911`
    pub id: String,
    /// The same by other names, above all CVE's.
    pub aliases: Vec<String>,
    /// One line.
    pub title: String,
    /// Where more is written.
    pub url: Option<String>,
    /// When it was published or last changed, as `YYYY-MM-DD`.
    pub date: String,
    /// How bad it is.
    pub scored: Scored,
    /// Why it is no vulnerability: `unmaintained`, `unsound`, `notice`, or Debian's `unimportant`.
    pub informational: Option<String>,
    /// The packages that have it.
    pub affected: Vec<AffectedPackage>,
}

/// A package that has it.
#[derive(Clone, Debug, PartialEq)]
pub struct AffectedPackage {
    /// Whose package.
    pub ecosystem: Ecosystem,
    /// Its name; of Debian, that of the source package.
    pub name: String,
    /// Where it has it.
    pub platforms: AffectedPlatforms,
    /// Its versions that have it.
    pub versions: AffectedVersions,
}

/// Where a package has it, in the words of both forms of the database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct AffectedPlatforms {
    /// Operating systems in Rust's words; none are all.
    #[serde(default)]
    pub os: Vec<String>,
    /// Processors in Rust's words; none are all.
    #[serde(default)]
    pub arch: Vec<String>,
}

/// The versions that have it.
#[derive(Clone, Debug, PartialEq)]
pub enum AffectedVersions {
    /// All but these; those of the first list were fixed, those of the second never had it.
    Except(Vec<SafeRange>, Vec<SafeRange>),
    /// What events say, line by line, and single ones.
    Events(Vec<Vec<VersionEvent>>, Vec<String>),
}

impl AffectedPackage {
    /// Whether this version has it. A version that SemVer does not know has what RustSec says of all versions.
    pub fn has(&self, version: &str) -> bool {
        match &self.versions {
            AffectedVersions::Except(patched, unaffected) => {
                let Ok(version) = Version::parse(version) else { return true };
                !patched.iter().chain(unaffected).any(|range| range.has(&version))
            }
            AffectedVersions::Events(lines, single) => {
                let order = self.ecosystem.order();
                single.iter().any(|one| order.compare(one, version).is_eq())
                    || lines.iter().any(|events| affects(events, version, order))
            }
        }
    }

    /// The versions that fix it for those who have this one, lowest first.
    pub fn fixed_in(&self, version: &str) -> Vec<String> {
        match &self.versions {
            AffectedVersions::Except(patched, _) => {
                let Ok(version) = Version::parse(version) else { return Vec::new() };
                let mut fixed: Vec<(Version, String)> = patched.iter().filter_map(|range| range.above(&version)).collect();
                fixed.sort();
                fixed.dedup();
                fixed.into_iter().map(|(_, shown)| shown).collect()
            }
            AffectedVersions::Events(lines, _) => {
                let order = self.ecosystem.order();
                let mut fixed: Vec<&str> = lines.iter().filter_map(|events| fixed_after(events, version, order)).collect();
                fixed.sort_by(|one, other| order.compare(one, other));
                fixed.dedup();
                fixed.into_iter().map(str::to_owned).collect()
            }
        }
    }

    /// Whether it is about this system and processor, by their names in Rust.
    pub fn is_about(&self, os: &str, arch: Option<&str>) -> bool {
        let named = |list: &[String], name: &str| list.is_empty() || list.iter().any(|one| one == name);
        named(&self.platforms.os, os) && arch.is_none_or(|arch| named(&self.platforms.arch, arch))
    }
}

/// The day in a date or time of ISO 8601, if it begins with one.
pub fn day(text: &str) -> Option<&str> {
    let day = text.get(..10)?;
    let is_day = day.bytes().enumerate().all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() });
    is_day.then_some(day)
}
