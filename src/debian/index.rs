//! `Packages`: the packages of a suite (repository format, "Packages Indices").

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, Read};

use anyhow::{Context as _, Result, ensure};

use super::control::Paragraph;
use super::relation;
use super::version;
use crate::digest::Digest;

/// Bytes that one paragraph may have.
const LARGEST_PARAGRAPH: usize = 4 << 20;

/// A package, as far as it matters which to take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The name.
    pub name: Box<str>,
    /// The version.
    pub version: Box<str>,
    /// `arm64`, or `all`.
    pub architecture: Box<str>,
    /// Number of the source that has it.
    pub source: usize,
    /// `Pre-Depends` and `Depends`.
    pub depends: Box<str>,
    /// `Provides`
    pub provides: Box<str>,
    /// `Conflicts` and `Breaks`.
    pub conflicts: Box<str>,
    /// How usual it is, from 0 for `required` to 4 for `extra`.
    pub priority: u8,
    /// Whether it is `Essential`.
    pub essential: bool,
    /// Path below the archive.
    pub path: Box<str>,
    /// Bytes of the package.
    pub size: u64,
    /// KiB of what it unpacks to.
    pub installed: u64,
    /// The package's sum.
    pub digest: Digest,
}

/// The packages of all suites: the newest of each name.
#[derive(Clone, Debug, Default)]
pub struct PackageIndex {
    packages: HashMap<Box<str>, Candidate>,
    providers: HashMap<Box<str>, Vec<Box<str>>>,
}

impl PackageIndex {
    /// Adds the packages of a source. What stands in `text` is verified already.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn add(&mut self, text: impl Read, source: usize) -> Result<()> {
        let mut reader = std::io::BufReader::with_capacity(1 << 16, text);
        let mut paragraph = String::new();
        loop {
            let before = paragraph.len();
            let count = reader.read_line(&mut paragraph).context("its list of packages cannot be read")?;
            ensure!(paragraph.len() <= LARGEST_PARAGRAPH, "its list of packages has a paragraph of more than 4 MiB");
            if count == 0 || paragraph[before..].trim_end().is_empty() {
                if let Some(candidate) = candidate(&paragraph, source)? {
                    self.insert(candidate);
                }
                paragraph.clear();
                if count == 0 {
                    break;
                }
            }
        }
        Ok(())
    }

    fn insert(&mut self, new: Candidate) {
        let older = |old: &Candidate| version::compare(&old.version, &new.version).is_lt();
        if self.packages.get(&new.name).is_none_or(older) {
            self.packages.insert(new.name.clone(), new);
        }
    }

    /// Finds who provides what, once all sources are there.
    pub fn finish(&mut self) {
        let mut providers: HashMap<Box<str>, Vec<Box<str>>> = HashMap::new();
        for package in self.packages.values() {
            for provided in relation::list(&package.provides) {
                providers.entry(provided.name.into()).or_default().push(package.name.clone());
            }
        }
        providers.values_mut().for_each(|names| {
            names.sort();
            names.dedup();
        });
        self.providers = providers;
    }

    /// The package of a name.
    pub fn get(&self, name: &str) -> Option<&Candidate> {
        self.packages.get(name)
    }

    /// The packages that provide a name, by priority and name.
    pub fn providers(&self, name: &str) -> Vec<&Candidate> {
        let names = self.providers.get(name).into_iter().flatten();
        let mut found: Vec<&Candidate> = names.filter_map(|name| self.packages.get(name)).collect();
        found.sort_by_key(|package| (package.priority, &package.name));
        found
    }

    /// All packages that are `Essential`, by name.
    pub fn essential(&self) -> Vec<&Candidate> {
        let all: BTreeMap<_, _> = self.packages.iter().filter(|(_, package)| package.essential).collect();
        all.into_values().collect()
    }

    /// The name most like another one.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        let scored = self.packages.keys().map(|known| (strsim::jaro_winkler(known, name), known));
        let best = scored.filter(|(score, _)| *score > 0.85).max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)));
        best.map(|(_, known)| &**known)
    }
}

fn candidate(text: &str, source: usize) -> Result<Option<Candidate>> {
    let paragraph = Paragraph::parse(text);
    let Some(name) = paragraph.get("Package") else { return Ok(None) };
    let field = |field: &str| paragraph.get(field).unwrap_or_default();
    let needed = |field: &str| {
        paragraph.get(field).with_context(|| format!("its list of packages has no `{field}` of `{}`", name.escape_debug()))
    };
    let joined = |one: &str, other: &str| -> Box<str> {
        [field(one), field(other)].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ").into()
    };
    let path = needed("Filename")?;
    ensure!(crate::archive::confined(path).is_some(), "its list of packages has the path `{}`", path.escape_debug());
    Ok(Some(Candidate {
        name: name.into(),
        version: needed("Version")?.into(),
        architecture: needed("Architecture")?.into(),
        source,
        depends: joined("Pre-Depends", "Depends"),
        provides: field("Provides").into(),
        conflicts: joined("Conflicts", "Breaks"),
        priority: match field("Priority") {
            "required" => 0,
            "important" => 1,
            "standard" => 2,
            "extra" => 4,
            _ => 3,
        },
        essential: field("Essential") == "yes",
        path: path.into(),
        size: needed("Size")?.parse().with_context(|| format!("the size of `{}` is no number", name.escape_debug()))?,
        installed: field("Installed-Size").parse().unwrap_or(0),
        digest: Digest::from_hex(needed("SHA256")?)
            .with_context(|| format!("the sum of `{}` is no SHA-256", name.escape_debug()))?,
    }))
}
