//! A vulnerability in a package, and where it is.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::trust::advisory::{Ecosystem, Rating, Scored};
use crate::trust::vex::VexStatus;

/// A package has what an advisory describes. Keys are only ever added.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AuditFinding {
    /// `RUSTSEC-2020-0071`
    pub id: String,
    /// The same by other names, such as `CVE-2020-26235`.
    pub aliases: Vec<String>,
    /// Why it is no vulnerability: `unmaintained`, `unsound`, `notice`, `unimportant`.
    pub informational: Option<String>,
    /// One line.
    pub title: String,
    /// Where more is written.
    pub url: Option<String>,
    /// The day of the advisory.
    pub date: String,
    /// How bad it is.
    #[serde(flatten)]
    pub scored: Scored,
    /// `crates.io` or `Debian:12`
    pub ecosystem: Ecosystem,
    /// The package; of Debian, the source package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// Package URLs.
    pub purls: Vec<String>,
    /// Debian's packages that are made of the source package.
    pub binary_packages: Vec<String>,
    /// The versions that fix it, lowest first; none if there is none yet.
    pub fixed_in: Vec<String>,
    /// Where the package is.
    pub places: Vec<FindingPlace>,
    /// What a VEX document says of it.
    pub vex: Option<VexVerdict>,
}

/// Where a package is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FindingPlace {
    /// The services that have it.
    pub services: Vec<String>,
    /// The executable.
    pub file: Option<String>,
    /// The base.
    pub base: Option<String>,
    /// From the executable's package to this one, each as `NAME VERSION`.
    pub path: Vec<String>,
}

/// What a VEX document says of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct VexVerdict {
    /// How the product stands to it.
    pub status: VexStatus,
    /// Why.
    pub reason: Option<String>,
}

impl AuditFinding {
    /// All its names.
    pub fn names(&self) -> Vec<&str> {
        std::iter::once(&self.id).chain(&self.aliases).map(String::as_str).collect()
    }

    /// Whether a VEX document settles it.
    pub fn is_settled(&self) -> bool {
        self.vex.as_ref().is_some_and(|verdict| verdict.status.is_settled())
    }

    /// Whether it is a vulnerability that nobody settled.
    pub fn is_open(&self) -> bool {
        self.informational.is_none() && !self.is_settled()
    }

    /// Whether it is open and at least as bad. What nobody rated may be as bad as can be.
    pub fn is_denied(&self, least: Option<Rating>) -> bool {
        let is_bad = least.is_none_or(|least| self.scored.severity.is_none_or(|own| own >= least));
        self.is_open() && is_bad
    }

    /// The services that have it, by name.
    pub fn services(&self) -> Vec<&str> {
        let mut services: Vec<&str> = self.places.iter().flat_map(|place| &place.services).map(String::as_str).collect();
        services.sort_unstable();
        services.dedup();
        services
    }

    /// What findings are sorted by: open ones first, of these the worst, of these the newest.
    fn order(&self) -> impl Ord + '_ {
        let rank = if self.is_settled() { 2 } else { u8::from(self.informational.is_some()) };
        let badness = self.scored.severity.unwrap_or(Rating::None);
        let (package, id) = (&self.package, &self.id);
        (rank, std::cmp::Reverse(badness), package, id, &self.version, self.vex.as_ref().map(|verdict| &verdict.reason))
    }
}

/// One finding for all places of the same; sorted.
pub fn grouped(findings: impl IntoIterator<Item = AuditFinding>) -> Vec<AuditFinding> {
    let mut groups: Vec<AuditFinding> = Vec::new();
    let mut places = BTreeMap::new();
    for finding in findings {
        let verdict = finding.vex.as_ref().map(|verdict| (verdict.status.name(), verdict.reason.clone()));
        let key = (finding.id.clone(), finding.ecosystem.clone(), finding.package.clone(), finding.version.clone(), verdict);
        let at = *places.entry(key).or_insert(groups.len());
        let Some(group) = groups.get_mut(at) else {
            groups.push(finding);
            continue;
        };
        for name in finding.binary_packages {
            if !group.binary_packages.contains(&name) {
                group.binary_packages.push(name);
            }
        }
        group.purls.extend(finding.purls.into_iter().filter(|purl| !group.purls.contains(purl)).collect::<Vec<_>>());
        group.places.extend(finding.places);
    }
    groups.sort_by(|one, other| one.order().cmp(&other.order()));
    groups
}
