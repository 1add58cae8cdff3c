//! What Git says of the workspace.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::process;

/// Variables that lead Git to another repository than the one around a folder. Git sets them for its hooks.
pub const OF_HOOKS: [&str; 3] = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"];

/// The commit that is checked out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id, in hexadecimal digits.
    pub id: String,
    /// The first file that differs from it, or that it lacks.
    pub changed: Option<String>,
}

/// In which files a change counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangesIn {
    /// Those of the workspace.
    Workspace,
    /// All of the repository: packages of other folders may be compiled too.
    Repository,
}

/// Where the workspace is in its repository, and where that is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    /// The workspace's folder in the repository, with slashes; empty if it is the repository's own.
    pub folder: String,
    /// The address of the remote `origin`, as Git's configuration has it.
    pub origin: Option<String>,
}

impl Commit {
    /// Asks for the commit of the repository around `folder`. Changes below the folders `apart`, which hold what builds write, do not
    /// count.
    ///
    /// # Errors
    /// When there is none, or Git cannot be asked; in words for the user.
    pub fn read(folder: &Path, count: ChangesIn, apart: &[&Path]) -> Result<Self, String> {
        let id = git(folder, &["rev-parse", "--verify", "HEAD"]).map_err(|error| match error.is::<std::io::Error>() {
            true => format!("{error:#}"),
            false => "the workspace is not in a Git repository with a commit".to_owned(),
        })?;
        let within = match count {
            ChangesIn::Workspace => ".",
            ChangesIn::Repository => ":/",
        };
        let mut words =
            vec!["status".to_owned(), "--porcelain".into(), "--untracked-files=normal".into(), "--".into(), within.into()];
        let inside = apart.iter().filter_map(|path| path.strip_prefix(folder).ok()).filter(|path| !path.as_os_str().is_empty());
        words.extend(inside.map(|path| format!(":(exclude){}", path.display())));
        let changed = git(folder, &words).map_err(|error| format!("{error:#}"))?;
        let first = changed.lines().next().map(|line| line.get(2..).unwrap_or(line).trim().to_owned());
        Ok(Self { id: id.trim().to_owned(), changed: first })
    }
}

impl Checkout {
    /// Asks where `folder` is in its repository.
    ///
    /// # Errors
    /// When it is in none.
    pub fn read(folder: &Path) -> Result<Self> {
        let prefix = git(folder, &["rev-parse", "--show-prefix"])?;
        // `git remote get-url` would add what the user's configuration makes of the address, such as a token.
        let origin = git(folder, &["config", "--get", "remote.origin.url"]).ok().map(|url| url.trim().to_owned());
        let folder = prefix.trim_end_matches(['\n', '/']).to_owned();
        Ok(Self { folder, origin: origin.filter(|url| !url.is_empty()) })
    }
}

/// What Git prints in a folder.
///
/// # Errors
/// When it cannot be run, or fails.
pub fn git(folder: &Path, words: &[impl AsRef<std::ffi::OsStr>]) -> Result<String> {
    let mut git = Command::new("git");
    git.args(words).current_dir(folder);
    for name in OF_HOOKS {
        git.env_remove(name);
    }
    process::capture(&mut git)
}
