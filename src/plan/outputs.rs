//! The targets and formats of bundles.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::manifests::{self, AppSource};
use super::report::Report;
use super::{Format, Request};
use crate::app::{Destination, Target};
use crate::config::{Problems, Step, schema};
use crate::diagnostic::Code;
use crate::workspace::{Workspace, targets};

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
pub fn target(app: &AppSource, request: &Request, workspace: &Workspace, report: &mut Report<'_>) -> Option<Target> {
    // One of several may be from the table.
    let listed = app.table.targets.iter().flatten().position(|triple| request.among_others && request.targets.contains(triple));
    let place = [Step::Key("targets"), Step::Index(listed.unwrap_or_default())];
    let (flag, steps, triple) = match (&request.targets[..], app.table.targets.as_deref()) {
        ([typed, ..], _) if listed.is_some() => (None, &place[..], typed.as_str()),
        ([typed, ..], _) => (Some("--target"), &[][..], typed.as_str()),
        ([], None) => (None, &[][..], DEFAULT_TARGET),
        ([], Some([])) => {
            report.wrong(Code::MissingKey, &[Step::Key("targets")], "`targets` is empty");
            return None;
        }
        ([], Some([first, ..])) => (None, &place[..], first.as_str()),
    };
    report.take_from(flag, Code::UnknownTarget, steps, known(triple, workspace))
}

/// The target, if images and rustc know it.
fn known(triple: &str, workspace: &Workspace) -> Result<Target, String> {
    let target = Target::new(triple);
    let bare = target.as_ref().map_or(triple, |target| &target.triple).to_owned();
    let Some(known) = targets::instead_of(&bare, &workspace.root) else { return target };
    if let Some(alias) = schema::nearest(triple, &Target::aliases()).filter(|_| !triple.contains('-')) {
        return Err(format!("there is no target `{triple}`\nhelp: did you mean `{alias}`?"));
    }
    let known: Vec<&str> = known.iter().map(String::as_str).filter(|known| Target::new(known).is_ok()).collect();
    match (schema::nearest(&bare, &known), target) {
        (Some(near), Ok(_)) => Err(format!("rustc has no target `{bare}`\nhelp: did you mean `{near}`?")),
        (Some(near), Err(why)) => Err(format!("{why}\nhelp: did you mean `{near}`?")),
        (None, Ok(_)) => Err(format!("rustc has no target `{bare}`\nhelp: list its targets with `rustc --print target-list`")),
        (None, Err(why)) => Err(why),
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
        let flag = match request {
            _ if request.formats.contains(&Format::Auterionos) => Some("--format"),
            _ if request.destinations.contains(&Destination::Auterionos) => Some("--for"),
            _ => None,
        };
        let why = "the format `auterionos` needs the app's `author`, such as `author = \"com.example\"`".to_owned();
        report.take_from::<()>(flag, Code::AuthorMissing, &[Step::Key("formats")], Err(why));
    }
    formats
}

/// Whether anything is written for AuterionOS.
pub fn wants_auterion(formats: &[Format], request: &Request) -> bool {
    formats.contains(&Format::Auterionos) || request.destinations.contains(&Destination::Auterionos)
}
