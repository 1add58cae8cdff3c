//! The targets that a workspace is compiled for already.

use std::collections::BTreeSet;
use std::path::Path;

use crate::app::Target;

/// Files of CI providers, besides those in `.github/workflows`.
const CI: [&str; 3] = [".gitlab-ci.yml", ".circleci/config.yml", "azure-pipelines.yml"];

/// Targets, and the file that names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltFor {
    /// Triples, each for a platform of its own.
    pub triples: Vec<String>,
    /// Relative to the workspace.
    pub source: String,
}

/// The targets in the workspace's Cargo configuration, or else the only Linux target in its CI jobs. Those that images cannot have do not
/// count.
pub fn built_for(root: &Path) -> Option<BuiltFor> {
    [".cargo/config.toml", ".cargo/config"].into_iter().find_map(|source| of_cargo(root, source)).or_else(|| of_ci(root))
}

fn of_cargo(root: &Path, source: &str) -> Option<BuiltFor> {
    let table: toml::Table = std::fs::read_to_string(root.join(source)).ok()?.parse().ok()?;
    let target = table.get("build")?.get("target")?;
    let written = target.as_array().map_or(std::slice::from_ref(target), Vec::as_slice);
    let mut platforms = BTreeSet::new();
    let triples: Vec<String> = written
        .iter()
        .filter_map(|triple| Target::new(triple.as_str()?).ok())
        .filter(|target| platforms.insert(target.platform.to_string()))
        .map(|target| target.triple)
        .collect();
    (!triples.is_empty()).then(|| BuiltFor { triples, source: source.to_owned() })
}

fn of_ci(root: &Path) -> Option<BuiltFor> {
    let workflows = std::fs::read_dir(root.join(".github/workflows")).into_iter().flatten().flatten();
    let mut files: Vec<_> = workflows.map(|entry| entry.path()).chain(CI.map(|file| root.join(file))).collect();
    files.sort();
    let mut found: BTreeSet<(String, String)> = BTreeSet::new();
    for file in files {
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let shown = file.strip_prefix(root).unwrap_or(&file).display().to_string();
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-' && letter != '_');
        let triples = words.filter(|word| word.contains("-unknown-linux-"));
        found.extend(triples.filter_map(|word| Some((Target::new(word).ok()?.triple, shown.clone()))));
    }
    let triples: BTreeSet<&String> = found.iter().map(|(triple, _)| triple).collect();
    let (triple, source) = found.first().filter(|_| triples.len() == 1)?;
    Some(BuiltFor { triples: vec![triple.clone()], source: source.clone() })
}
