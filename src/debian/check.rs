//! Whether executables find their libraries in the tree.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Read as _};

use anyhow::{Result, bail};

use super::emulate;
use super::parcel::Parcel;
use super::tree::{NodeKind, Tree};
use crate::diagnostic::{Code, Note};
use crate::elf::{Elf, Needing, needed};

/// How many faults an error names.
const LISTED: usize = 10;

/// How many plugins a note names.
const SHOWN: usize = 3;

/// The ELF files of a tree, by path.
struct Programs<'a> {
    tree: &'a Tree,
    files: BTreeMap<&'a str, Elf>,
    /// The folders that the loader searches.
    search: Vec<String>,
}

/// Notes on libraries that no program needs, such as plugins, and that lack a library.
///
/// # Errors
/// When an executable, or a library that one needs, lacks a library.
pub fn libraries(tree: &Tree, parcels: &[Parcel]) -> Result<Vec<Note>> {
    let mut files = BTreeMap::new();
    for (path, node) in tree.all() {
        if let NodeKind::Spooled(..) = node.kind
            && let Some(elf) = elf(tree, path)
        {
            files.insert(path, elf);
        }
    }
    let programs = Programs { tree, files, search: emulate::search_path(tree)? };
    let mut reached: BTreeSet<String> = BTreeSet::new();
    let mut faults: BTreeSet<(String, String)> = BTreeSet::new();
    let owner = |path: &str| {
        let package = tree.at(path).and_then(|node| node.package);
        package.and_then(|at| parcels.get(at)).map_or("", |parcel| parcel.name.as_str())
    };
    for (path, elf) in programs.files.iter().filter(|(_, elf)| elf.interpreter.is_some()) {
        if let Some(loader) = elf.interpreter.as_ref().filter(|loader| !tree.has(loader)) {
            let fault = format!("`/{path}` of `{}` needs the loader `{loader}`", owner(path));
            faults.insert(((*path).to_owned(), fault));
        }
        for (by, name) in programs.missing(path, elf, &mut reached)? {
            let fault = format!("`/{by}` of `{}` needs `{name}`", owner(&by));
            faults.insert((by, fault));
        }
    }
    if let Some((path, _)) = faults.first() {
        let more = faults.len().saturating_sub(LISTED);
        let more = if more > 0 { format!("\n  and {more} more") } else { String::new() };
        bail!(Code::DebianPackage.error(format!(
            "programs need libraries that are not in the base:\n  {}{more}\nhelp: add the package with the library to `packages`, or leave the program out: `exclude = [\"{path}\"]`",
            Vec::from_iter(faults.iter().take(LISTED).map(|(_, fault)| fault.as_str())).join("\n  ")
        )));
    }
    let mut plugins: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (path, elf) in programs.files.iter().filter(|(path, elf)| elf.interpreter.is_none() && !reached.contains(**path)) {
        for (by, name) in programs.missing(path, elf, &mut BTreeSet::new())? {
            plugins.entry(owner(&by)).or_default().insert(format!("`/{by}` needs `{name}`"));
        }
    }
    let notes = plugins.into_iter().map(|(package, lacks)| {
        let shown: Vec<&str> = lacks.iter().take(SHOWN).map(String::as_str).collect();
        let more = lacks.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        let shown = shown.join(", ");
        Code::DebianLibraries.note(format!("plugins and other libraries of `{package}` cannot be loaded: {shown}{more}"))
    });
    Ok(notes.collect())
}

/// The ELF file at a path, if it is one.
fn elf(tree: &Tree, path: &str) -> Option<Elf> {
    let mut magic = [0; 4];
    tree.stretch(path)?.read_exact(&mut magic).ok()?;
    if magic != *b"\x7fELF" {
        return None;
    }
    Elf::of(BufReader::with_capacity(1 << 14, tree.stretch(path)?)).ok()
}

impl Programs<'_> {
    /// The libraries that a file lacks, itself or by others: who needs it, and its name.
    fn missing(&self, path: &str, elf: &Elf, reached: &mut BTreeSet<String>) -> Result<Vec<(String, String)>> {
        let mut missing = Vec::new();
        let first = Needing { name: path.to_owned(), elf: Cow::Borrowed(elf), paths: runpath(path, elf) };
        needed(first, |name, by| {
            let folders = by.paths.iter().chain(&self.search);
            let mut candidates = folders.filter_map(|folder| self.tree.resolve(&format!("{folder}/{name}")));
            let found = candidates
                .find_map(|path| Some((self.files.get(path.as_str()).filter(|found| found.machine == elf.machine)?, path)));
            let Some((library, path)) = found else {
                missing.push((by.name.clone(), name.to_owned()));
                return Ok(None);
            };
            reached.insert(path.clone());
            // Its own search path comes first. A `DT_RPATH` also applies to its dependencies.
            let paths = runpath(&path, library).into_iter().chain(by.paths.iter().cloned()).collect();
            Ok(Some(Needing { name: path, elf: Cow::Borrowed(library), paths }))
        })?;
        Ok(missing)
    }
}

/// The search path that a file has of its own.
fn runpath(path: &str, elf: &Elf) -> Vec<String> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    elf.runpath.iter().map(|part| part.replace("${ORIGIN}", folder).replace("$ORIGIN", folder)).collect()
}
