//! The files of a workspace that start executables: Dockerfiles and systemd units, wherever they are.

use std::path::{Path, PathBuf};

use super::discovered::Discovered;
use super::dockerfile::{self, ReadDockerfile};
use super::launch::arguments;
use super::unit::{self, SystemdUnit};
use crate::workspace::Workspace;

/// How deep in the workspace files are looked for.
const DEPTH: usize = 6;

/// Folders whose files start no service of the app.
const OTHERS: [&str; 8] = ["demo", "demos", "example", "examples", "sample", "samples", "test", "tests"];

/// All of them, in the order of their paths.
#[derive(Debug, Default)]
pub struct Starters {
    root: PathBuf,
    /// Dockerfiles that start something, each with its path.
    images: Vec<(PathBuf, ReadDockerfile)>,
    /// Units that start something, each with its path, and its name for systemd.
    units: Vec<(PathBuf, String, SystemdUnit)>,
}

impl Starters {
    /// Finds them. Hidden folders, those of examples and tests, the target folder and repositories of their own do not count.
    pub fn read(root: &Path, target_dir: &Path) -> Self {
        let mut starters = Self { root: root.to_owned(), ..Self::default() };
        let counts = |entry: &walkdir::DirEntry| {
            let name = entry.file_name().to_string_lossy();
            let is_other = name.starts_with('.') || entry.file_type().is_dir() && OTHERS.contains(&&*name);
            entry.depth() == 0 || !is_other && entry.path() != target_dir && !entry.path().join(".git").exists()
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
        let starts = |(path, _, unit): &'_ (PathBuf, String, SystemdUnit)| {
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

/// The units in folders of packages that start something else than the workspace's executables: each unit's path, and the name of what it
/// starts. It may be another name of one.
pub fn of_other_names(workspace: &Workspace) -> Vec<(String, String)> {
    let Starters { root, units, .. } = Starters::read(&workspace.root, &workspace.target_dir);
    let is_bin = |name: &str| workspace.members.iter().any(|member| member.bins.iter().any(|bin| bin == name));
    let is_of_package = |path: &Path| workspace.members.iter().any(|member| path.parent() == Some(member.folder()));
    let other = |(path, unit_name, unit): (PathBuf, String, SystemdUnit)| {
        let name = Path::new(unit.words.first()?).file_name()?.to_string_lossy().into_owned();
        let is_own = unit_name.strip_suffix(".service") == Some(&name) && is_of_package(&path);
        (is_own && !is_bin(&name)).then(|| (shown(&root, &path), name))
    };
    units.into_iter().filter_map(other).collect()
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
