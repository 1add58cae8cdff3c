//! The files of a workspace that start executables: Dockerfiles and systemd units, wherever they are.

use std::path::{Path, PathBuf};

use super::discovered::Discovered;
use super::dockerfile::{self, DockerImage};
use super::launch::arguments;
use super::unit::{self, Unit};

/// How deep in the workspace files are looked for.
const DEPTH: usize = 6;

/// All of them, in the order of their paths.
#[derive(Debug, Default)]
pub struct Starters {
    root: PathBuf,
    /// Dockerfiles that start something, each with its path.
    images: Vec<(PathBuf, DockerImage)>,
    /// Units that start something, each with its path, and its name for systemd.
    units: Vec<(PathBuf, String, Unit)>,
}

impl Starters {
    /// Finds them. Hidden folders, the target folder and folders that are repositories of their own do not count.
    pub fn read(root: &Path, target_dir: &Path) -> Self {
        let mut starters = Self { root: root.to_owned(), ..Self::default() };
        let counts = |entry: &walkdir::DirEntry| {
            let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
            entry.depth() == 0 || !is_hidden && entry.path() != target_dir && !entry.path().join(".git").exists()
        };
        let entries = walkdir::WalkDir::new(root).max_depth(DEPTH).sort_by_file_name().into_iter().filter_entry(counts);
        for entry in entries.flatten().filter(|entry| entry.file_type().is_file()) {
            let name = entry.file_name().to_string_lossy().into_owned();
            let text = || std::fs::read_to_string(entry.path()).unwrap_or_default();
            if is_dockerfile(&name) {
                let image = dockerfile::read(&text(), &shown(root, entry.path()));
                if !image.words.is_empty() {
                    starters.images.push((entry.into_path(), image));
                }
            } else if let Some(stem) = name.strip_suffix(".service").or_else(|| name.strip_suffix(".service.in")) {
                let unit = unit::read(&text());
                if !unit.words.is_empty() {
                    starters.units.push((entry.path().to_owned(), format!("{stem}.service"), unit));
                }
            }
        }
        starters
    }

    /// The first Dockerfile that starts an executable.
    pub fn dockerfile(&self, bin: &str) -> Option<&Path> {
        let (path, _) = self.images.iter().find(|(_, image)| arguments(&image.words, bin).is_some())?;
        Some(path)
    }

    /// What the first unit that starts an executable says of it, and the unit's path.
    pub fn unit(&self, bin: &str) -> Option<(Discovered, String)> {
        let starts = |(path, _, unit): &'_ (PathBuf, String, Unit)| {
            Some((path.clone(), arguments(&unit.words, bin)?.to_vec(), unit.clone()))
        };
        let (path, args, unit) = self.units.iter().find_map(starts)?;
        let found = Discovered { args, environment: unit.environment, after: unit.after, ..Discovered::default() };
        Some((found, shown(&self.root, &path)))
    }

    /// The names of the units that start an executable.
    pub fn units(&self, bin: &str) -> Vec<&str> {
        self.units.iter().filter(|(_, _, unit)| arguments(&unit.words, bin).is_some()).map(|(_, name, _)| name.as_str()).collect()
    }
}

/// A path as messages have it: relative to the workspace.
pub fn shown(root: &Path, file: &Path) -> String {
    file.strip_prefix(root).unwrap_or(file).display().to_string()
}

fn is_dockerfile(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["dockerfile", "containerfile"].iter().any(|word| name.starts_with(word) || name.ends_with(&format!(".{word}")))
        && !name.ends_with(".dockerignore")
}
