//! What this machine has of what builds need, and what the rest would be for.

mod finding;
mod look;
mod native;
mod needs;

use anyhow::Result;

use self::needs::{BuildNeeds, NeedsFound};
use crate::apt;
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
    /// Why there is no plan, or why its dependencies are not known, if that is a mistake.
    pub wrong: Option<anyhow::Error>,
    /// That something is missing.
    pub missing: Option<anyhow::Error>,
}

impl Diagnosis {
    /// The Debian packages with what is missing, as apt takes them.
    pub fn packages(&self) -> Vec<String> {
        packages(&self.findings)
    }
}

fn packages(findings: &[ToolFinding]) -> Vec<String> {
    let mut packages: Vec<String> = Vec::new();
    for package in findings.iter().filter(|finding| finding.is_missing()).flat_map(|finding| &finding.packages) {
        if !packages.contains(package) {
            packages.push(package.clone());
        }
    }
    packages
}

/// Looks for the tools, libraries and packages that the plan needs. Where there is no plan yet, for those that a build needs by default.
///
/// # Errors
/// When `--target` names no target, or Cargo's configuration cannot be read.
pub fn examine(options: &Options, step: &dyn Fn(&str)) -> Result<Diagnosis> {
    let NeedsFound { needs: all, notes, unplanned, wrong } = needs::of(options, step)?;
    let mut findings: Vec<ToolFinding> = Vec::new();
    for needs in &all {
        for finding in look::at(needs, options)? {
            if !findings.iter().any(|other| other.what == finding.what) {
                findings.push(finding);
            }
        }
    }
    let missing = findings.iter().any(ToolFinding::is_missing).then(|| tools_missing(&findings, &all));
    Ok(Diagnosis { findings, notes, unplanned, wrong, missing })
}

/// One command installs all that packages or commands are known of.
fn tools_missing(findings: &[ToolFinding], all: &[BuildNeeds]) -> anyhow::Error {
    let triples: Vec<String> = all.iter().map(|needs| format!("`{}`", needs.target.triple)).collect();
    let missing = findings.iter().filter(|finding| finding.is_missing()).count();
    let verb = if missing == 1 { "is" } else { "are" };
    let packages = packages(findings);
    let of_packages = (!packages.is_empty()).then(|| apt::install_command(&packages));
    let commands: Vec<String> = of_packages.into_iter().chain(findings.iter().filter_map(own_command)).collect();
    let help = if commands.is_empty() { String::new() } else { format!("\nhelp: run `{}`", commands.join(" && ")) };
    let count = count(missing, "required tool");
    Code::ToolsMissing.error(format!("{count} {verb} missing for {}{help}", triples.join(" and "))).into()
}

/// The command by which something is installed that is in no package, such as `rustup target add TRIPLE`.
fn own_command(finding: &ToolFinding) -> Option<String> {
    let ToolState::Missing(help) = &finding.state else { return None };
    let command = help.strip_prefix("run `")?.strip_suffix('`')?;
    (finding.packages.is_empty() && !command.contains('`')).then(|| command.to_owned())
}
