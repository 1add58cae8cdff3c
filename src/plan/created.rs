//! The date of all that is written.

use std::path::Path;
use std::process::Command;

use super::Request;
use super::manifests::AppSource;
use super::report::Report;
use crate::config::Step;
use crate::config::tables::CreatedName;
use crate::diagnostic::Code;
use crate::process;

/// The date in seconds since 1970: from `SOURCE_DATE_EPOCH`, or else as the app's table says.
pub fn resolve(app: &AppSource, request: &Request, workspace: &Path, report: &mut Report<'_>) -> u64 {
    match (request.epoch, app.table.created) {
        (Some(epoch), _) => epoch,
        (None, Some(CreatedName::Commit)) => {
            report.take(Code::InvalidValue, &[Step::Key("created")], of_commit(workspace)).unwrap_or_default()
        }
        (None, Some(CreatedName::Epoch) | None) => 0,
    }
}

/// When the last commit was made.
fn of_commit(folder: &Path) -> Result<u64, String> {
    let mut git = Command::new("git");
    // Neither a signature nor a colour is part of the answer.
    git.args(["-c", "log.showSignature=false", "log", "-1", "--no-color", "--format=%ct"]).current_dir(folder);
    let text = process::capture(&mut git).map_err(|error| {
        format!(
            "git does not say when the last commit was made: {error:#}\nhelp: commit the workspace, or set `SOURCE_DATE_EPOCH`"
        )
    })?;
    text.trim().parse().map_err(|_| format!("git says that the last commit was made at `{}`", text.trim()))
}
