//! `cargo appbundle audit`: reports known vulnerabilities in a bundle, or in a workspace before it is built.
//!
//! Nothing is fetched: the databases are folders on this machine.

mod databases;
mod of_bundle;
mod of_workspace;
mod subject;
mod text;
mod vex_file;

pub(super) use of_bundle::{services, unlisted};

use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::{Result, bail};

use self::subject::AuditSubject;
use super::Options;
use crate::bundle::survey::printable;
use crate::diagnostic::Code;
use crate::shell::{Shell, count};
use crate::trust::advisory::{Database, Ecosystem, Rating};
use crate::trust::audit::{AuditFinding, AuditReport, AuditedPackages, DatabaseReport, audit, sarif};
use crate::trust::vex::{self, VexStatement};

/// Options of `audit`.
#[derive(Clone, Debug, Default)]
pub struct AuditOptions {
    /// The bundle; without one, the workspace is audited.
    pub file: Option<PathBuf>,
    /// Folders of advisories; without one, where other tools keep them.
    pub databases: Vec<PathBuf>,
    /// The mildest severity that fails; without one, every vulnerability does.
    pub deny: Option<Rating>,
    /// VEX documents.
    pub vex: Vec<PathBuf>,
    /// Where to write a VEX document to fill in.
    pub vex_init: Option<PathBuf>,
    /// The form of the result.
    pub format: AuditFormat,
}

/// The form of the result on stdout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuditFormat {
    /// Text.
    #[default]
    Human,
    /// JSON.
    Json,
    /// SARIF 2.1.0.
    Sarif,
}

/// Prints what databases know of the packages in a bundle or workspace.
///
/// # Errors
/// When there are vulnerabilities at or above the severity to deny; when nothing can be looked up; when there is no database, or it or
/// a VEX document cannot be read.
pub fn run(options: &AuditOptions, plan: &Options, shell: &Shell) -> Result<()> {
    let folders = databases::folders(&options.databases)?;
    let statements = options.vex.iter().map(|path| vex::read(path)).collect::<Result<Vec<_>>>()?.concat();
    if let Some(path) = &options.vex_init {
        vex_file::is_free(path)?;
    }
    let subject = match &options.file {
        Some(file) => of_bundle::subject(file, shell)?,
        None => of_workspace::subject(plan, shell)?,
    };
    let wanted = subject.inventory.names();
    let database = Database::read(&folders, &|ecosystem, name| wanted.contains(&(ecosystem.is_debian(), name)))?;
    let report = report(&subject, &folders, &database, &statements, options.deny)?;
    print(&report, options, plan, shell)?;
    if let Some(path) = &options.vex_init {
        return vex_file::write(path, &report, subject.author.as_deref(), plan.request.epoch, shell);
    }
    judge(&report, options.deny)
}

fn report(
    subject: &AuditSubject,
    folders: &[PathBuf],
    database: &Database,
    statements: &[VexStatement],
    deny: Option<Rating>,
) -> Result<AuditReport> {
    let inventory = &subject.inventory;
    let mut incomplete = subject.incomplete.clone();
    for set in &inventory.packages {
        let of = text::services(&set.services, set.base.as_deref());
        match &set.release {
            None => {
                incomplete.push(format!("not looked up: the Debian packages{of}, because nothing says of which release they are"))
            }
            Some(release) if !database.covers(&Ecosystem::Debian(Some(release.clone()))) => incomplete.push(format!(
                "not looked up: {}{of}, because no database has advisories of Debian {release}",
                count(set.list.len(), "Debian package")
            )),
            Some(_) => {}
        }
    }
    if !inventory.crates.is_empty() && !database.covers(&Ecosystem::Crates) {
        incomplete.push("not looked up: the crates, because no database has advisories of crates".to_owned());
    }
    let is_covered = |set: &AuditedPackages| {
        let release = set.release.clone();
        release.is_some_and(|release| database.covers(&Ecosystem::Debian(Some(release))))
    };
    let has_crates = !inventory.crates.is_empty() && database.covers(&Ecosystem::Crates);
    if !has_crates && !inventory.packages.iter().any(is_covered) {
        let why = if incomplete.is_empty() { "nothing in it is listed".to_owned() } else { incomplete.join("; ") };
        bail!(Code::AuditIncomplete.error(format!(
            "`{}` cannot be audited: {why}\nhelp: build it with `cargo appbundle build`, whose executables list their crates, and name databases with `--db`",
            subject.file,
        )));
    }
    let (findings, unused) = audit(inventory, database, statements);
    let mut notes: Vec<String> = unused
        .into_iter()
        .filter_map(|at| statements.get(at))
        .map(|statement| format!("the VEX statement on {} matches nothing here", statement.vulnerabilities.join(", ")))
        .collect();
    notes.extend(databases::age(&database.newest, SystemTime::now()));
    let database = DatabaseReport {
        folders: folders.iter().map(|folder| folder.display().to_string()).collect(),
        entries: database.entries,
        newest: database.newest.clone(),
    };
    let report = AuditReport {
        file: subject.file.clone(),
        database,
        crates: inventory.crate_count(),
        packages: inventory.package_count(),
        incomplete,
        notes,
        vulnerabilities: 0,
        denied: 0,
        findings,
    };
    Ok(report.judged(deny))
}

fn print(report: &AuditReport, options: &AuditOptions, plan: &Options, shell: &Shell) -> Result<()> {
    for note in &report.incomplete {
        shell.warning(format_args!("incomplete: {}", printable(note)));
    }
    for note in &report.notes {
        shell.warning(printable(note));
    }
    match options.format {
        AuditFormat::Sarif => {
            let places = of_workspace::LockFilePlaces::read(options.file.is_none(), plan);
            shell.document(&sarif(report, &|finding: &AuditFinding| places.of(finding, &report.file)))
        }
        format => {
            let text = text::of(report, shell.ink());
            shell.answer(format == AuditFormat::Json, "appbundle-audit", report, text.trim_end())
        }
    }
}

fn judge(report: &AuditReport, deny: Option<Rating>) -> Result<()> {
    if report.denied == 0 {
        return Ok(());
    }
    let denied: Vec<&AuditFinding> = report.findings.iter().filter(|finding| finding.is_denied(deny)).collect();
    let some =
        if report.denied == 1 { "a known vulnerability".to_owned() } else { format!("{} known vulnerabilities", report.denied) };
    let least = deny.map(|least| format!(" of severity {least} or above")).unwrap_or_default();
    bail!(Code::VulnerablePackages.error(format!("`{}` has {some}{least}\nhelp: {}", report.file, text::help(&denied))))
}
