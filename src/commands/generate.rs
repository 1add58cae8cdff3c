//! `cargo appbundle generate`: the generated files alone, or a check that they are as they would be.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::app::{Base, Binary};
use crate::fs::write_if_changed;
use crate::plan::Plan;
use crate::render::{self, Copied};
use crate::segment::Packer;

/// Writes all generated files with the contexts of the Dockerfiles; gives the paths of the text files.
pub fn write(plan: &Plan, binaries: &[Binary], bases: &[&Base], packer: &Packer) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for file in render::files(plan)? {
        let path = plan.output.join(&file.path);
        write_if_changed(&path, file.contents.as_bytes())?;
        paths.push(path);
    }
    let docker = plan.output.join("docker");
    for context in render::contexts(plan, binaries, bases)? {
        let path = plan.output.join(&context.dockerfile.path);
        let folder = path.parent().unwrap_or(&docker);
        write_if_changed(&path, context.dockerfile.contents.as_bytes())?;
        for (name, what) in &context.copied {
            copy(&folder.join(name), what, bases, packer)
                .with_context(|| format!("failed to write `{}`", folder.join(name).display()))?;
        }
        paths.push(path);
    }
    Ok(paths)
}

/// Puts one thing into a context. Files are linked where the file system can, so that large ones cost nothing.
fn copy(to: &Path, what: &Copied, bases: &[&Base], packer: &Packer) -> Result<()> {
    let folder = to.parent().context("a context has no folder")?;
    fs_err::create_dir_all(folder)?;
    match what {
        Copied::Folder => fs_err::create_dir_all(to)?,
        Copied::Link(target) => {
            remove(to)?;
            std::os::unix::fs::symlink(target, to)?;
        }
        Copied::File(from, executable) => {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs_err::metadata(from)?.permissions().mode() & 0o777;
            let wanted = if *executable { 0o755 } else { 0o644 };
            remove(to)?;
            if mode != wanted || std::fs::hard_link(from, to).is_err() {
                fs_err::copy(from, to)?;
                fs_err::set_permissions(to, std::fs::Permissions::from_mode(wanted))?;
            }
        }
        Copied::BaseLayer => {
            let number =
                to.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.strip_prefix("base")?.parse::<usize>().ok());
            let mut distinct: Vec<&&Base> = Vec::new();
            for base in bases {
                if !distinct.iter().any(|other| other.choice == base.choice) {
                    distinct.push(base);
                }
            }
            let base = distinct.get(number.map_or(0, |number| number - 1)).context("a context's base is unknown")?;
            let layer = base.layers.first().context("a context's base has no layer")?;
            let marker = to.with_extension("tar.sum");
            let sum = layer.diff_id.to_string();
            if to.is_file() && std::fs::read_to_string(&marker).is_ok_and(|old| old == sum) {
                return Ok(());
            }
            let mut pending = crate::fs::Pending::new(to)?;
            std::io::copy(&mut crate::archive::gzip::decoder(packer.cache().open(layer)?), pending.file())?;
            pending.commit()?;
            crate::fs::write(&marker, sum.as_bytes())?;
        }
    }
    Ok(())
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => bail!("`{}` is a folder", path.display()),
        Ok(_) => Ok(fs_err::remove_file(path)?),
        Err(_) => Ok(()),
    }
}
