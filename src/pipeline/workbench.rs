//! What the steps of a build share.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::Options;
use crate::archive::gzip::Level;
use crate::compile::{CargoSettings, linker};
use crate::plan::Plan;
use crate::segment::{Cache, KnownDigests, Packer};
use crate::shell::Shell;

/// The locked output folder and its layer cache.
pub struct Workbench<'a> {
    /// Packs layers into the cache.
    pub packer: Packer,
    /// Digests of files that have not changed since they were read.
    pub known: KnownDigests,
    /// The linker that Cargo uses for the target.
    pub linker: String,
    /// Where messages go.
    pub shell: &'a Shell,
    _lock: std::fs::File,
}

impl<'a> Workbench<'a> {
    /// Locks the plan's output folder, waiting for other builds. Layers are compressed at `level`.
    ///
    /// # Errors
    /// When the folder cannot be written, or Cargo's configuration cannot be read.
    pub fn open(plan: &Plan, options: &Options, level: Level, shell: &'a Shell) -> Result<Self> {
        let lock = lock(plan, shell)?;
        let folder = cache_folder(plan);
        Ok(Self {
            packer: Packer::new(Cache::new(&folder), level, options.threads),
            known: KnownDigests::load(&folder.join("digests.json")),
            linker: linker::used(&CargoSettings::read(&options.cargo.config)?, &plan.target.triple),
            shell,
            _lock: lock,
        })
    }
}

/// Locks the output folder; builds wait for each other as Cargo's do.
///
/// # Errors
/// When the folder cannot be written.
pub fn lock(plan: &Plan, shell: &Shell) -> Result<std::fs::File> {
    let path = plan.output.join(".lock");
    fs_err::create_dir_all(&plan.output)?;
    let file = std::fs::File::create(&path).with_context(|| format!("failed to write `{}`", path.display()))?;
    if file.try_lock().is_err() {
        shell.status("Blocking", "waiting for file lock on the appbundle directory");
        file.lock().with_context(|| format!("failed to lock `{}`", path.display()))?;
    }
    Ok(file)
}

/// The folder of the layer cache and of file digests.
pub fn cache_folder(plan: &Plan) -> PathBuf {
    plan.output.join("cache")
}
