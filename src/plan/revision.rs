//! The commit that images are labelled with.

use std::path::Path;
use std::process::Command;

use super::manifests::AppSource;
use crate::diagnostic::{Code, Note};
use crate::process;
use crate::workspace::Workspace;

/// The commit of the workspace, if the table asks for it; a note if there is none, or if files have changed since.
pub fn resolve(app: &AppSource, workspace: &Workspace, said: &mut Vec<Note>) -> Option<String> {
    if !app.table.revision {
        return None;
    }
    match of_commit(&workspace.root, &workspace.target_dir) {
        Ok(commit) => Some(commit),
        Err(why) => {
            said.push(Code::RevisionUnknown.note(format!("images have no label of the commit: {why}")));
            None
        }
    }
}

fn of_commit(folder: &Path, target_dir: &Path) -> Result<String, String> {
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.args(arguments).current_dir(folder);
        process::capture(&mut git).map(|text| text.trim().to_owned())
    };
    let commit = git(&["rev-parse", "--verify", "HEAD"]).map_err(|_| "the workspace is not in a Git repository with a commit")?;
    let built = target_dir.strip_prefix(folder).unwrap_or(Path::new("target")).display().to_string();
    let changed =
        git(&["status", "--porcelain", "--", ".", &format!(":(exclude){built}")]).map_err(|error| format!("{error:#}"))?;
    match changed.lines().next() {
        None => Ok(commit),
        Some(line) => Err(format!("`{}` has changed since the last commit", line.get(2..).unwrap_or(line).trim())),
    }
}
