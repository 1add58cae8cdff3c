//! `cargo appbundle vendor`: copies the pinned Debian packages into the folders that `vendor` names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::config::lockfile::Lockfile;
use crate::oci::blob_path;
use crate::pipeline::pulled::{client, packages};
use crate::pipeline::{Options, Session};
use crate::registry::{BLOBS_CAP, Blobs};
use crate::shell::{self, Shell};

/// Fills each folder with the packages that the lock file pins, and removes other packages from it.
///
/// # Errors
/// When no base names a folder, nothing is pinned, or a package cannot be had.
pub fn run(options: &Options, shell: &Shell) -> Result<()> {
    let sessions = Session::of_targets(options, shell)?;
    let mut folders: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
    let blobs = Blobs::of_user()?;
    for Session { plan, .. } in &sessions {
        let lockfile = Lockfile::read(&plan.workspace)?;
        let client = client(&plan.registries, options, shell)?;
        for recipe in packages::recipes(plan) {
            let Some(folder) = &recipe.vendor else { continue };
            let Some(pin) = lockfile.debian(recipe, &packages::architecture(&plan.target)) else {
                bail!("the packages of `{recipe}` are not pinned\nhelp: run `cargo appbundle update`");
            };
            packages::fetch(recipe, pin, plan, &client, &blobs, shell)?;
            fs_err::create_dir_all(folder)?;
            let names = folders.entry(folder.clone()).or_default();
            for package in &pin.packages {
                names.insert(package.file_name().to_owned());
                crate::fs::link(&blobs.folder().join(blob_path(&package.digest)), &folder.join(package.file_name()), false)?;
            }
        }
    }
    if folders.is_empty() {
        bail!("no base names a folder for its packages\nhelp: add `vendor = \"debs\"` to `base = {{ debian = … }}`");
    }
    for (folder, names) in folders {
        for entry in fs_err::read_dir(&folder)?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".deb") && !names.contains(&name) {
                crate::fs::remove(&entry.path())?;
            }
        }
        shell.status("Vendored", format_args!("{} in {}", shell::count(names.len(), "package"), folder.display()));
    }
    blobs.prune(BLOBS_CAP);
    Ok(())
}
