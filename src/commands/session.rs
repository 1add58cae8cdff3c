//! What every verb that works on a workspace begins with.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::compile::CompileOptions;
use crate::plan::{Plan, Request};
use crate::shell::Shell;
use crate::workspace::{CargoOptions, Workspace};

/// What was typed, of the verbs that make a plan.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How Cargo is called.
    pub cargo: CargoOptions,
    /// What is planned.
    pub request: Request,
    /// How it is compiled.
    pub compile: CompileOptions,
    /// `--bin-dir`: binaries that are there already; nothing is compiled.
    pub bin_dir: Option<PathBuf>,
    /// Threads that compress.
    pub threads: usize,
    /// Bytes that the cache of layers may have.
    pub cache_size: u64,
}

/// A workspace with its plan.
pub struct Session {
    /// What Cargo knows.
    pub workspace: Workspace,
    /// What is decided.
    pub plan: Plan,
}

impl Session {
    /// Reads the workspace and decides; says what the user should know of the decisions.
    pub fn start(options: &Options, shell: &Shell) -> Result<Self> {
        let workspace = Workspace::read(&options.cargo)?;
        let plan = crate::plan::resolve(&workspace, &options.request)?;
        plan.notes.iter().for_each(|note| shell.note(note));
        Ok(Self { workspace, plan })
    }
}

/// The lock that builds into one folder wait for, as Cargo's do.
pub fn lock(plan: &Plan, shell: &Shell) -> Result<std::fs::File> {
    let path = plan.output.join(".lock");
    fs_err::create_dir_all(&plan.output)?;
    let file = std::fs::File::create(&path).with_context(|| format!("failed to write `{}`", path.display()))?;
    if file.try_lock().is_err() {
        shell.status("Blocking", "waiting for file lock on the appbundle folder");
        file.lock().with_context(|| format!("failed to lock `{}`", path.display()))?;
    }
    Ok(file)
}

/// Where layers and what is known of files are kept.
pub fn cache_folder(plan: &Plan) -> PathBuf {
    plan.output.join("cache")
}

/// Tells an error: problems of manifests as they stand there, everything else in Cargo's form.
pub fn report(error: &anyhow::Error, shell: &Shell) {
    match error.downcast_ref::<crate::config::Problems>() {
        Some(problems) => shell.raw(&problems.render(shell.colored())),
        None => shell.error(error),
    }
}
