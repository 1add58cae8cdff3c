//! The facts about a root file system that decide whether an executable runs on it.

mod overlay;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::{AppFile, FileContent, UserLists};
use crate::archive::{TarReader, confined, normal};
use crate::debian::{self, InstalledPackage};
use crate::elf::Elf;

/// Libraries larger than this are written to disk before they are parsed. The C library has 2 MB.
const LARGEST: u64 = 16 << 20;

/// Limit for the names recorded per layer, in bytes. Debian's root file system needs less than a million.
const MOST_NAMES: usize = 32 << 20;

/// Larger records are not read. A hundred packages have 100 KB.
const LARGEST_RECORD: u64 = 8 << 20;

/// Folders that every loader searches.
const SEARCHED: [&str; 4] = ["lib", "usr/lib", "lib64", "usr/lib64"];

/// Folders, links and libraries of a file system. All paths are relative to its root.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// All directories.
    pub folders: BTreeSet<String>,
    /// Symbolic links and their targets.
    pub links: BTreeMap<String, String>,
    /// ELF files that are named like libraries or loaders.
    pub libraries: BTreeMap<String, Elf>,
    /// Files that can be executed, but for those among `libraries`.
    pub programs: BTreeSet<String>,
    /// The users and groups that its files list.
    pub users: UserLists,
    /// Files that say which packages it has, and of which system, by path: dpkg's records and `os-release`.
    pub records: BTreeMap<String, String>,
    /// Directories listed in `/etc/ld.so.conf` and the files that it includes.
    pub search: BTreeSet<String>,
    /// What this layer removes from the layers below: paths of whiteouts, and opaque directories with a trailing `/`.
    pub removed: BTreeSet<String>,
}

impl Facts {
    /// Reads a layer's tar to the end.
    ///
    /// # Errors
    /// When the tar is damaged or contains a path that leads out of the root.
    pub fn read(tar: impl Read) -> Result<Self> {
        let mut facts = Self::default();
        let mut names = 0usize;
        let mut reader = TarReader::new(tar);
        while let Some(entry) = reader.next_entry()? {
            let Some(path) = confined(&entry.path) else { bail!("its member `{}` is outside the root folder", entry.path) };
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
            if name == ".wh..wh..opq" {
                facts.removed.insert(format!("{folder}/"));
                continue;
            }
            if let Some(name) = name.strip_prefix(".wh.") {
                facts.removed.insert(join(folder, name));
                continue;
            }
            let is_program = entry.is_file() && entry.mode & 0o111 != 0;
            let own = if entry.is_file() && !is_program { 0 } else { path.len() + entry.link.as_ref().map_or(0, String::len) };
            names += own + facts.add_parents(&path);
            ensure!(names <= MOST_NAMES, "the names of its folders and links exceed {} MiB in total", MOST_NAMES >> 20);
            if entry.kind.is_dir() {
                facts.folders.insert(path);
            } else if entry.kind.is_symlink() {
                facts.links.insert(path, entry.link.unwrap_or_default());
            } else if entry.kind.is_hard_link() {
                let link = entry.link.unwrap_or_default();
                let Some(target) = confined(link.trim_start_matches('/')) else {
                    bail!("its member `{}` is a link to `{link}`, outside the root folder", entry.path)
                };
                if let Some(elf) = facts.libraries.get(&target).cloned() {
                    facts.libraries.insert(path, elf);
                } else if facts.programs.contains(&target) {
                    facts.programs.insert(path);
                }
            } else if entry.is_file() {
                facts.file(path.clone(), entry.size, &mut reader)?;
                if is_program && !facts.libraries.contains_key(&path) {
                    facts.programs.insert(path);
                }
            }
        }
        reader.drain()?;
        facts.folders.remove("");
        Ok(facts)
    }

    /// The files that a service packs next to its executable, as far as the loader uses them.
    pub fn beside<'a>(files: impl IntoIterator<Item = &'a AppFile>, library_path: Option<&str>) -> Self {
        let mut facts = Self::default();
        for file in files {
            let path = file.to.trim_start_matches('/').to_owned();
            if !is_library(path.rsplit('/').next().unwrap_or(&path)) {
                continue;
            }
            match &file.content {
                FileContent::Link(target) => drop(facts.links.insert(path, target.clone())),
                // A file that is not ELF despite its name is ignored by the loader.
                FileContent::From(from) => facts.libraries.extend(Elf::read(from).ok().map(|elf| (path, elf))),
                FileContent::Text(_) | FileContent::Folder => {}
            }
        }
        let told = library_path.into_iter().flat_map(|paths| paths.split(':'));
        facts.search.extend(told.filter_map(|path| path.strip_prefix('/')).map(str::to_owned));
        facts
    }

    /// Adds the parent directories of a path; returns the total length of the new names in bytes.
    fn add_parents(&mut self, path: &str) -> usize {
        let mut names = 0;
        for (at, _) in path.match_indices('/') {
            if !self.folders.contains(&path[..at]) {
                self.folders.insert(path[..at].to_owned());
                names += at;
            }
        }
        names
    }

    fn file(&mut self, path: String, size: u64, content: &mut impl Read) -> Result<()> {
        let name = path.rsplit('/').next().unwrap_or(&path);
        if is_library(name) {
            let failed = || format!("failed to read `{path}`");
            let elf = if size <= LARGEST {
                let mut bytes = Vec::new();
                content.take(size).read_to_end(&mut bytes).with_context(failed)?;
                Elf::parse(&bytes[..])
            } else {
                let mut file = crate::fs::unnamed()?;
                io::copy(content, &mut file).with_context(failed)?;
                Elf::of(file)
            };
            if let Ok(elf) = elf {
                self.libraries.insert(path, elf);
            }
        } else if size < 1 << 16 && (path == "etc/ld.so.conf" || path.starts_with("etc/ld.so.conf.d/")) {
            let mut bytes = Vec::new();
            content.take(size).read_to_end(&mut bytes)?;
            let text = String::from_utf8_lossy(&bytes);
            self.search.extend(text.lines().filter_map(|line| line.trim().strip_prefix('/')).map(str::to_owned));
        } else if size < 1 << 20 && matches!(path.as_str(), "etc/passwd" | "etc/group") {
            let mut bytes = Vec::new();
            content.take(size).read_to_end(&mut bytes)?;
            let list = if path == "etc/passwd" { &mut self.users.passwd } else { &mut self.users.group };
            *list = Some(String::from_utf8_lossy(&bytes).into_owned());
        } else if size < LARGEST_RECORD && (debian::has_records(&path) || debian::OS_RELEASE.contains(&path.as_str())) {
            let mut bytes = Vec::new();
            content.take(size).read_to_end(&mut bytes)?;
            self.records.insert(path, String::from_utf8_lossy(&bytes).into_owned());
        } else {
            io::copy(content, &mut io::sink())?;
        }
        Ok(())
    }

    /// The text of `os-release`.
    pub fn os_release(&self) -> Option<&str> {
        debian::OS_RELEASE.iter().find_map(|path| self.records.get(*path)).map(String::as_str)
    }

    /// The packages that it says it has.
    pub fn packages(&self) -> Vec<InstalledPackage> {
        debian::installed(self.records.iter().filter(|(path, _)| debian::has_records(path)).map(|(_, text)| text.as_str()))
    }

    /// Resolves all symbolic links in a path; follows at most forty, as Linux does.
    pub fn resolve(&self, path: &str) -> String {
        let mut path = path.trim_start_matches('/').to_owned();
        'again: for _ in 0..40 {
            let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]).collect::<Vec<_>>();
            for end in ends {
                if let Some(target) = self.links.get(&path[..end]) {
                    let folder = path[..end].rsplit_once('/').map_or("", |(folder, _)| folder);
                    let start = if target.starts_with('/') { "" } else { folder };
                    path = normal(&format!("{start}/{target}{}", &path[end..]));
                    continue 'again;
                }
            }
            return path;
        }
        path
    }

    /// The pieces to copy so that all `files` are copied, by path in the image.
    pub fn parts<'a>(&self, files: impl IntoIterator<Item = &'a str>) -> BTreeSet<CopiedPath> {
        let mut parts = BTreeSet::new();
        for file in files {
            let path = file.trim_start_matches('/');
            let mut folders = path.match_indices('/').map(|(at, _)| &path[..at]);
            let missing = folders.find(|folder| !self.folders.contains(&self.resolve(folder)));
            parts.insert(
                missing.map_or_else(|| CopiedPath::File(path.to_owned()), |folder| CopiedPath::Folder(folder.to_owned())),
            );
        }
        parts
    }

    /// Finds the library that the loader would load for a name, and its path.
    pub fn library(&self, name: &str, runpath: &[String]) -> Option<(String, &Elf)> {
        let at = |path: &str| {
            let path = self.resolve(path);
            self.libraries.get(&path).map(|elf| (path, elf))
        };
        if name.contains('/') {
            return at(name);
        }
        let first = runpath.iter().map(String::as_str).filter(|path| path.starts_with('/'));
        let own = self.search.iter().map(String::as_str);
        let multiarch = self.folders.iter().map(String::as_str).filter(|folder| {
            folder.rsplit_once('/').is_some_and(|(parent, triple)| SEARCHED.contains(&parent) && triple.contains("-linux-"))
        });
        first.chain(own).chain(SEARCHED).chain(multiarch).find_map(|folder| at(&join(folder.trim_start_matches('/'), name)))
    }
}

/// Files of a service that one instruction can copy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CopiedPath {
    /// A directory that the base does not have, with its contents.
    Folder(String),
    /// A file in a directory that the base has.
    File(String),
}

/// The directories in a file's `DT_RUNPATH`, with `$ORIGIN` replaced by the file's own directory (ld.so(8)).
pub fn runpath(elf: &Elf, place: &str) -> Vec<String> {
    let origin = format!("/{}", place.trim_start_matches('/').rsplit_once('/').map_or("", |(folder, _)| folder));
    elf.runpath.iter().map(|path| normal_absolute(&path.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin))).collect()
}

fn normal_absolute(path: &str) -> String {
    path.strip_prefix('/').map_or_else(|| path.to_owned(), |path| format!("/{}", normal(path)))
}

fn is_library(name: &str) -> bool {
    name.ends_with(".so") || name.contains(".so.") || name.starts_with("ld-")
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn facts(folders: &[&str], links: &[(&str, &str)]) -> Facts {
        Facts {
            folders: folders.iter().map(|f| (*f).into()).collect(),
            links: links.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect(),
            ..Facts::default()
        }
    }

    #[test]
    fn links_are_followed_within_the_root() {
        let facts = facts(&[], &[("lib", "usr/lib"), ("usr/lib/x.so", "../../lib/y.so"), ("loop", "loop"), ("up", "../../etc")]);
        assert_eq!(facts.resolve("/lib/x.so"), "usr/lib/y.so");
        assert_eq!(facts.resolve("up/passwd"), "etc/passwd");
        assert_eq!(facts.resolve("loop"), "loop");
    }

    #[test]
    fn folders_of_endless_names_are_refused() {
        let mut tar = Vec::new();
        for number in 0..20 {
            let path = format!("{number}{}", "/a".repeat(2000));
            tar.extend(crate::archive::encode_file(&path, 0o644, 0, 0).expect("header"));
            let some = Facts::read(&tar[..]);
            assert_eq!(some.is_ok(), number < 8, "{number}");
        }
        let error = Facts::read(&tar[..]).expect_err("too many");
        assert_eq!(error.to_string(), "the names of its folders and links exceed 32 MiB in total");
    }
}
