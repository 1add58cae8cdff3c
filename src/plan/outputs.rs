//! The targets and formats of bundles.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::manifests::{self, AppSource};
use super::report::Report;
use super::{Format, Request};
use crate::app::{Destination, Target};
use crate::config::{Problems, Step};
use crate::diagnostic::Code;
use crate::workspace::Workspace;

/// The default target.
pub const DEFAULT_TARGET: &str = "aarch64-unknown-linux-gnu";

/// The targets: those from the command line, or else from the table, or else the default.
///
/// # Errors
/// When two of them are for one platform, of which an image can have only one.
pub fn targets(workspace: &Workspace, request: &Request) -> Result<Vec<String>> {
    let mut problems = Problems::default();
    let app = manifests::app(workspace, &mut problems)?;
    let triples = match app.table.targets {
        _ if !request.targets.is_empty() => request.targets.clone(),
        Some(triples) => triples,
        None => vec![DEFAULT_TARGET.to_owned()],
    };
    let mut platforms: BTreeMap<String, &String> = BTreeMap::new();
    for triple in &triples {
        // One that is not known is told where the plan is made, with its place.
        let Ok(target) = Target::new(triple) else { continue };
        if let Some(other) = platforms.insert(target.platform.to_string(), triple) {
            bail!(Code::SeveralTargets.error(format!("the targets `{other}` and `{triple}` are both for {}", target.platform)));
        }
    }
    Ok(triples)
}

/// The only target of a plan.
pub fn target(app: &AppSource, request: &Request, report: &mut Report<'_>) -> Option<Target> {
    match (&request.targets[..], app.table.targets.as_deref()) {
        ([typed, ..], _) => report.take(Code::UnknownTarget, &[], Target::new(typed).map_err(|why| format!("`--target`: {why}"))),
        ([], None) => report.take(Code::UnknownTarget, &[], Target::new(DEFAULT_TARGET)),
        ([], Some([])) => {
            report.wrong(Code::MissingKey, &[Step::Key("targets")], "`targets` is empty");
            None
        }
        ([], Some([first, ..])) => report.take(Code::UnknownTarget, &[Step::Key("targets"), Step::Index(0)], Target::new(first)),
    }
}

/// The formats from the command line, or else from the table.
pub fn formats(app: &AppSource, request: &Request, report: &mut Report<'_>) -> Vec<Format> {
    let mut formats = match (&request.formats[..], &app.table.formats) {
        ([], Some(formats)) => formats.clone(),
        ([], None) if app.table.author.is_some() => vec![Format::Auterionos],
        ([], None) => vec![Format::Docker],
        (typed, _) => typed.to_vec(),
    };
    formats.sort();
    formats.dedup();
    if formats.is_empty() {
        report.wrong(Code::MissingKey, &[Step::Key("formats")], "`formats` is empty");
    }
    if wants_auterion(&formats, request) && app.table.author.is_none() {
        report.wrong(
            Code::AuthorMissing,
            &[Step::Key("formats")],
            "the format `auterionos` needs the app's `author`, such as `author = \"com.example\"`",
        );
    }
    formats
}

/// Whether anything is written for AuterionOS.
pub fn wants_auterion(formats: &[Format], request: &Request) -> bool {
    formats.contains(&Format::Auterionos) || request.destinations.contains(&Destination::Auterionos)
}
