//! Moves the symbols of executables and libraries to debug files.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Executables, Libraries};
use crate::digest::Digest;
use crate::elf::Symbols;
use crate::fs::{Pending, Stamp, remove, write};
use crate::plan::Plan;
use crate::segment::KnownDigests;
use crate::shell::{Shell, count};

/// Changes when other bytes are made of the same executable.
const FORMAT: u32 = 1;

/// What was made of an executable or library.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Made {
    format: u32,
    from: Digest,
    /// What is left, and the file of what was removed; `None` if there was nothing to remove.
    parts: Option<(Digest, Stamp)>,
}

/// The files of one executable or library.
struct Files {
    stripped: PathBuf,
    debug: PathBuf,
    made: PathBuf,
}

/// What happened to a service's executable, or to a library.
struct Outcome {
    name: String,
    path: PathBuf,
    is_new: bool,
    has_id: bool,
}

/// Replaces executables and libraries by stripped ones, and writes what was removed to the plan's folder of debug files. What was done
/// before is not done again.
///
/// # Errors
/// When a file cannot be read or written.
pub fn split(
    plan: &Plan,
    executables: Executables,
    libraries: Libraries,
    known: &KnownDigests,
    shell: &Shell,
) -> Result<(Executables, Libraries)> {
    let each = |files: BTreeMap<String, PathBuf>| -> Result<Vec<Outcome>> {
        let files = files.into_iter().collect::<Vec<_>>().into_par_iter();
        files.map(|(name, path)| one(plan, name, path, known, shell)).collect()
    };
    let (executables, libraries) = rayon::join(|| each(executables), || each(libraries));
    let (of_services, of_libraries) = (executables?, libraries?);
    let new = |outcomes: &[Outcome]| outcomes.iter().filter(|outcome| outcome.is_new).count();
    let (executables, libraries) = (new(&of_services), new(&of_libraries));
    if executables + libraries > 0 {
        let counted = [(executables, count(executables, "executable")), (libraries, libraries_counted(libraries))];
        let what: Vec<String> = counted.into_iter().filter(|(number, _)| *number > 0).map(|(_, text)| text).collect();
        let folder = plan.debug_folder();
        shell.status("Stripped", format_args!("{}; the symbols are in `{}`", what.join(" and "), folder.display()));
    }
    let all = of_services.iter().chain(&of_libraries);
    let without = all.filter(|outcome| outcome.is_new && !outcome.has_id);
    let without: Vec<&str> = without.map(|outcome| outcome.name.as_str()).collect();
    if !without.is_empty() {
        shell.detail("Missing", format_args!("a build id in {}; pass `--build-id` to the linker", without.join(", ")));
    }
    let paths = |of: Vec<Outcome>| of.into_iter().map(|outcome| (outcome.name, outcome.path)).collect();
    Ok((paths(of_services), paths(of_libraries)))
}

fn libraries_counted(number: usize) -> String {
    if number == 1 { "1 library".to_owned() } else { format!("{number} libraries") }
}

fn one(plan: &Plan, name: String, path: PathBuf, known: &KnownDigests, shell: &Shell) -> Result<Outcome> {
    let folder = plan.output.join("cache/stripped");
    let files = Files {
        stripped: folder.join(&name),
        debug: plan.debug_folder().join(format!("{name}.debug")),
        made: folder.join(format!("{name}.json")),
    };
    let from = known.digest(&path)?.0;
    let before = std::fs::read(&files.made).ok().and_then(|bytes| serde_json::from_slice::<Made>(&bytes).ok());
    if let Some(Made { format: FORMAT, from: then, parts }) = before
        && then == from
    {
        match parts {
            None => return Ok(Outcome { name, path, is_new: false, has_id: true }),
            Some(parts) if files.parts(known).ok() == Some(parts) => {
                return Ok(Outcome { name, path: files.stripped, is_new: false, has_id: true });
            }
            Some(_) => {}
        }
    }
    remove(&files.made)?;
    let data = std::fs::read(&path).with_context(|| format!("failed to read `{}`", path.display()))?;
    let symbols = Symbols::of(&data).unwrap_or_else(|error| {
        shell.warning(format_args!("`{}` keeps its symbols, since it cannot be split: {error:#}", path.display()));
        None
    });
    let Some(symbols) = symbols else {
        remove(&files.debug)?;
        files.remember(&Made { format: FORMAT, from, parts: None })?;
        return Ok(Outcome { name, path, is_new: false, has_id: true });
    };
    let mode = std::fs::metadata(&path)?.permissions();
    written(&files.debug, |to| symbols.write_debug(to))?;
    written(&files.stripped, |to| symbols.write_stripped(to))?;
    fs_err::set_permissions(&files.stripped, mode)?;
    files.remember(&Made { format: FORMAT, from, parts: Some(files.parts(known)?) })?;
    Ok(Outcome { name, path: files.stripped, is_new: true, has_id: symbols.build_id.is_some() })
}

impl Files {
    fn parts(&self, known: &KnownDigests) -> Result<(Digest, Stamp)> {
        // The first gets links, and with them other stamps.
        Ok((known.digest(&self.stripped)?.0, Stamp::read(&self.debug)?))
    }

    fn remember(&self, made: &Made) -> Result<()> {
        write(&self.made, &serde_json::to_vec(made)?)
    }
}

fn written(path: &Path, make: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let mut pending = Pending::new(path)?;
    let mut to = BufWriter::new(pending.file());
    make(&mut to).and_then(|()| Ok(to.flush()?)).with_context(|| format!("failed to write `{}`", path.display()))?;
    drop(to);
    pending.commit()
}
