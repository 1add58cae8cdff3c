//! What this machine has of what builds need, and what the rest would be for.

mod finding;
mod look;
mod needs;

use anyhow::Result;

use self::needs::{BuildNeeds, NeedsFound};
use crate::diagnostic::{Code, Note};
use crate::pipeline::Options;
use crate::shell::count;

pub use finding::{ToolFinding, ToolState};

/// What was found.
#[derive(Debug)]
pub struct Diagnosis {
    /// Each tool, once.
    pub findings: Vec<ToolFinding>,
    /// The notes of the plan, without those that its table allows.
    pub notes: Vec<Note>,
    /// Why there is no plan.
    pub unplanned: Option<String>,
    /// Why there is no plan, if that is a mistake; or what is missing.
    pub wrong: Option<anyhow::Error>,
}

/// Looks for the tools that the plan needs. Where there is no plan yet, for those that a build needs by default.
///
/// # Errors
/// When `--target` names no target, or Cargo's configuration cannot be read.
pub fn examine(options: &Options) -> Result<Diagnosis> {
    let NeedsFound { needs: all, notes, unplanned, wrong } = needs::of(options)?;
    let mut findings: Vec<ToolFinding> = Vec::new();
    for needs in &all {
        for finding in look::at(needs, options)? {
            if !findings.iter().any(|other| other.what == finding.what) {
                findings.push(finding);
            }
        }
    }
    let missing = findings.iter().filter(|finding| matches!(finding.state, ToolState::Missing(_))).count();
    let wrong = wrong.or_else(|| (missing > 0).then(|| tools_missing(missing, &all)));
    Ok(Diagnosis { findings, notes, unplanned, wrong })
}

fn tools_missing(missing: usize, all: &[BuildNeeds]) -> anyhow::Error {
    let triples: Vec<String> = all.iter().map(|needs| format!("`{}`", needs.target.triple)).collect();
    let verb = if missing == 1 { "is" } else { "are" };
    Code::ToolsMissing.error(format!("{} {verb} missing for {}", count(missing, "required tool"), triples.join(" and "))).into()
}
