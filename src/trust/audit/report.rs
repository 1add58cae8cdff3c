//! All that an audit says.

use serde::Serialize;

use super::finding::AuditFinding;
use crate::trust::advisory::Rating;

/// The result of an audit. Keys are only ever added.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AuditReport {
    /// What was audited: the bundle's path, or that of the workspace's root manifest.
    pub file: String,
    /// What it was held against.
    pub database: DatabaseReport,
    /// How many crates were looked up; one that several executables have counts once.
    pub crates: usize,
    /// How many of Debian's packages were looked up.
    pub packages: usize,
    /// What could not be looked up, in sentences; empty for a whole audit.
    pub incomplete: Vec<String>,
    /// What else should be known.
    pub notes: Vec<String>,
    /// Vulnerabilities that no VEX document settles.
    pub vulnerabilities: usize,
    /// Those of them that make the audit fail.
    pub denied: usize,
    /// Open vulnerabilities, informational findings, and what is settled.
    pub findings: Vec<AuditFinding>,
}

/// The databases, taken together.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DatabaseReport {
    /// Their folders.
    pub folders: Vec<String>,
    /// How many advisories they have.
    pub entries: usize,
    /// The day of the newest one.
    pub newest: String,
}

impl AuditReport {
    /// The findings of a kind: `vulnerability`, `warning` or `settled`.
    pub fn count(&self, wanted: &dyn Fn(&AuditFinding) -> bool) -> usize {
        self.findings.iter().filter(|finding| wanted(finding)).count()
    }

    /// Counts again what follows from the findings.
    #[must_use]
    pub fn judged(mut self, least: Option<Rating>) -> Self {
        self.vulnerabilities = self.count(&AuditFinding::is_open);
        self.denied = self.count(&|finding| finding.is_denied(least));
        self
    }
}
