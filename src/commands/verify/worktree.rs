//! A commit in a folder of its own.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::diagnostic::Code;
use crate::workspace::git;

/// Files of a commit in a temporary folder, as a worktree of the user's repository. Dropped, it goes away, and the repository knows
/// nothing of it any more.
pub struct Worktree {
    repository: PathBuf,
    scratch: TempDir,
}

impl Worktree {
    /// Checks a commit out of the repository around a folder.
    ///
    /// # Errors
    /// When there is no repository, or it does not have the commit.
    pub fn add(around: &Path, commit: &str) -> Result<Self> {
        let unusable = |text: String| anyhow::Error::from(Code::ProvenanceUnusable.error(text));
        let top = git(around, &["rev-parse", "--show-toplevel"]).map_err(|_| {
            unusable(format!(
                "`{}` is in no Git repository that could have the commit `{commit}`\nhelp: run this in a clone of the bundle's repository",
                around.display()
            ))
        })?;
        let repository = PathBuf::from(top.trim_end_matches('\n'));
        git(&repository, &["cat-file", "-e", &format!("{commit}^{{commit}}")]).map_err(|_| {
            unusable(format!(
                "the repository `{}` does not have the commit `{commit}`\nhelp: fetch it with `git fetch origin {commit}`",
                repository.display()
            ))
        })?;
        let made = Self { repository, scratch: crate::fs::scratch()? };
        let path = made.path().display().to_string();
        // A hook of the user's is for the user's own checkouts.
        git(&made.repository, &["-c", "core.hooksPath=/dev/null", "worktree", "add", "--quiet", "--detach", &path, commit])
            .with_context(|| format!("failed to check out the commit `{commit}`"))?;
        Ok(made)
    }

    /// Where the files of the commit are.
    pub fn path(&self) -> PathBuf {
        self.scratch.path().join("checkout")
    }

    /// A folder beside them, which goes away with them.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }
}

impl Drop for Worktree {
    fn drop(&mut self) {
        // What fails here leaves no more than a line in `git worktree list`, which Git removes in time.
        let _ = git(&self.repository, &["worktree", "remove", "--force", &self.path().display().to_string()]);
    }
}
