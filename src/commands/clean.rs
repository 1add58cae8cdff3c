//! `cargo appbundle clean`: the outputs and the cache of layers go.

use anyhow::Result;

use super::{Options, Session};
use crate::shell::{self, Shell};

/// Removes the output folder, or only the cache in it.
pub fn run(options: &Options, cache_only: bool, shell: &Shell) -> Result<()> {
    let Session { plan, .. } = Session::start(options, shell)?;
    let folder = if cache_only { super::session::cache_folder(&plan) } else { plan.output.clone() };
    let files = walkdir::WalkDir::new(&folder).into_iter().flatten().filter(|entry| entry.file_type().is_file());
    let (count, size) = files.fold((0, 0), |(count, size), entry| (count + 1, size + entry.metadata().map_or(0, |m| m.len())));
    if folder.exists() {
        fs_err::remove_dir_all(&folder)?;
    }
    shell.status("Removed", format_args!("{count} files, {}", shell::bytes(size)));
    Ok(())
}
