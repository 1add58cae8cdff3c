//! Writes the generated files, and the build contexts of generated Dockerfiles.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use walkdir::WalkDir;

use super::{Options, Workbench, others};
use crate::app::{Bases, Folders, LayerBuilder, Unit};
use crate::fs::{Pending, write_if_changed};
use crate::plan::Plan;
use crate::render::{self, Copied};
use crate::shell::Shell;

/// Writes the stack files that go into the images of controllers.
pub fn requests(plan: &Plan, options: &Options, shell: &Shell) -> Result<()> {
    let others = others::of_controllers(options, plan, shell)?;
    shell.notes(render::controller_notes(plan, &others), &plan.allow);
    for file in render::stack_requests(plan, &others)? {
        write_if_changed(&plan.output.join(&file.path), file.contents.as_bytes())?;
    }
    Ok(())
}

/// Writes all generated files and build contexts; returns the paths of the text files.
///
/// # Errors
/// When a file cannot be written.
pub fn write(plan: &Plan, units: &[Unit<'_>], bases: &Bases, bench: &Workbench<'_>) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for file in render::files(plan)?.files {
        let path = plan.output.join(&file.path);
        write_if_changed(&path, file.contents.as_bytes())?;
        paths.push(path);
    }
    let docker = plan.output.join("docker");
    for context in render::contexts(plan, bases)? {
        let path = plan.output.join(&context.dockerfile.path);
        let folder = path.parent().unwrap_or(&docker);
        write_if_changed(&path, context.dockerfile.contents.as_bytes())?;
        if context.service.is_some() {
            tidy(folder, &context.copied)?;
        }
        for (name, what) in &context.copied {
            let to = folder.join(name);
            copy(&to, what, plan.epoch, units, bases, bench).with_context(|| format!("failed to write `{}`", to.display()))?;
        }
        paths.push(path);
    }
    Ok(paths)
}

/// Removes files of an earlier build from a context's root file system: Docker would copy them, and they may block a file of
/// another type.
fn tidy(folder: &Path, copied: &[(String, Copied)]) -> Result<()> {
    let root = folder.join("rootfs");
    if !root.exists() {
        return Ok(());
    }
    let files: BTreeSet<PathBuf> = copied.iter().map(|(name, _)| folder.join(name)).collect();
    let folders: BTreeSet<&Path> = files.iter().flat_map(|path| path.ancestors().skip(1)).collect();
    for entry in WalkDir::new(&root).min_depth(1).contents_first(true) {
        let entry = entry.with_context(|| format!("failed to read `{}`", root.display()))?;
        match (entry.file_type().is_dir(), entry.path()) {
            (true, path) if !folders.contains(path) => fs_err::remove_dir(path)?,
            (false, path) if !files.contains(path) => fs_err::remove_file(path)?,
            _ => {}
        }
    }
    Ok(())
}

/// Puts one file, folder or link into a context.
fn copy(to: &Path, what: &Copied, epoch: u64, units: &[Unit<'_>], bases: &Bases, bench: &Workbench<'_>) -> Result<()> {
    fs_err::create_dir_all(to.parent().context("a context has no folder")?)?;
    match what {
        Copied::Link(target) => {
            crate::fs::remove(to)?;
            Ok(std::os::unix::fs::symlink(target, to)?)
        }
        Copied::File(from, executable) => crate::fs::link(from, to, *executable),
        Copied::Binary(service) => {
            let unit = units.iter().find(|unit| unit.service.name.as_str() == service).context("a service has no executable")?;
            crate::fs::link(&unit.binary.path, to, true)
        }
        Copied::BaseLayer(choice) => {
            let layer = bases.get(choice)?.layers.first().context("a context's base has no layer")?;
            crate::fs::link(&bench.packer.cache().path(layer), to, false)
        }
        Copied::Members(choice, files) => {
            let facts = &bases.get(choice)?.facts;
            let folders = Folders::of(files, &[], facts);
            let mut members = LayerBuilder::new(facts, &folders, epoch);
            files.iter().try_for_each(|file| members.file(file, &bench.known))?;
            let mut pending = Pending::new(to)?;
            members.finish().context("a context's tar is empty")?.write(pending.file(), &|_| ())?;
            pending.commit()
        }
    }
}
