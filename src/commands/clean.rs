//! `cargo appbundle clean`: removes the outputs and the layer cache.

use anyhow::Result;

use crate::pipeline::{Options, Session};
use crate::shell::{self, Shell};

/// Removes the output folder, or only the cache in it.
pub fn run(options: &Options, cache_only: bool, shell: &Shell) -> Result<()> {
    let (mut count, mut size) = (0, 0);
    for Session { plan, among_others, .. } in Session::of_targets(options, shell)? {
        let folder = match plan.output.parent() {
            _ if cache_only => crate::pipeline::cache_folder(&plan),
            // What all targets share stands around them.
            Some(shared) if among_others => shared.to_owned(),
            _ => plan.output,
        };
        for entry in walkdir::WalkDir::new(&folder).into_iter().flatten().filter(|entry| entry.file_type().is_file()) {
            count += 1;
            size += entry.metadata().map_or(0, |metadata| metadata.len());
        }
        if folder.exists() {
            fs_err::remove_dir_all(&folder)?;
        }
    }
    shell.status("Removed", format_args!("{count} files, {}", shell::bytes(size)));
    Ok(())
}
