//! The commit that images are labelled with.

use std::path::Path;

use super::manifests::AppSource;
use crate::diagnostic::{Code, Note};
use crate::workspace::{ChangesIn, Commit, Workspace};

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
    let Commit { id, changed } = Commit::read(folder, ChangesIn::Workspace, &[target_dir])?;
    match changed {
        None => Ok(id),
        Some(path) => Err(format!("`{path}` has changed since the last commit")),
    }
}
