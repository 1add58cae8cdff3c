//! `cargo appbundle doctor`: what is installed of what builds need, what each tool is for, and how to install the rest.

use anyhow::Result;

use crate::doctor::{self, Diagnosis, ToolFinding, ToolState};
use crate::pipeline::Options;
use crate::shell::{Ink, Shell};

/// What to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Printed {
    /// All findings, as text.
    Text,
    /// All findings, as JSON.
    Json,
    /// The missing Debian packages, which is no failure.
    Packages,
}

/// Prints all findings to stdout, as text or JSON.
///
/// # Errors
/// When something that the build needs is missing, or a mistake in a manifest is in the way of a plan.
pub fn run(options: &Options, printed: Printed, shell: &Shell) -> Result<()> {
    let diagnosis = doctor::examine(options, &|line| shell.step(line))?;
    let packages = diagnosis.packages();
    let Diagnosis { findings, notes, unplanned, wrong, missing } = diagnosis;
    shell.notes(notes, &[]);
    unplanned.iter().for_each(|why| shell.note(why));
    if printed == Printed::Packages {
        packages.iter().for_each(|package| shell.result("appbundle-package", serde_json::json!({ "name": package }), package));
        return wrong.map_or(Ok(()), Err);
    }
    if printed == Printed::Json && !shell.is_json() {
        shell.document(&findings)?;
    } else {
        show(&findings, shell);
    }
    wrong.or(missing).map_or(Ok(()), Err)
}

/// Prints findings to stdout.
pub fn show(findings: &[ToolFinding], shell: &Shell) {
    let ink = shell.ink();
    findings.iter().for_each(|finding| shell.result("appbundle-finding", finding, text(finding, &ink)));
}

/// The tool and whether it is there; below it, what it is for, and the command that installs it.
fn text(finding: &ToolFinding, ink: &Ink) -> String {
    let ToolFinding { what, purpose, without, packages: _, state } = finding;
    let why = format!("{purpose}; without it, {without}");
    let help = |help: &str| help.replace('\n', "\n              ");
    match state {
        ToolState::Good(found) => format!("      {}  {what}: {found}\n          {why}", ink.good("ok")),
        ToolState::Optional(way) => {
            format!("    {}  {what}\n          {why}\n          help: {}", ink.warning("(no)"), help(way))
        }
        ToolState::Missing(way) => format!(" {}  {what}\n          {why}\n          help: {}", ink.error("MISSING"), help(way)),
    }
}
