//! What Cargo resolved for a triple: all packages that may be compiled, what their manifests say of them, and who may use whom.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result};
use cargo_metadata::{Dependency, DependencyKind, Node, NodeDep, Package};
use semver::Version;
use serde::{Deserialize, Serialize};

use super::about::AboutCrate;
use super::lock_file::checksums;
use super::metadata::metadata;
use super::options::CargoOptions;

/// Packages by Cargo's identifier.
pub type Resolved = BTreeMap<String, ResolvedPackage>;

/// A package that may be compiled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedPackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Where it is from, as the lock file has it; `None` for a folder.
    pub source: Option<String>,
    /// What its manifest says of it.
    pub about: AboutCrate,
    /// Whether it is nothing but a macro.
    pub is_macro: bool,
    /// The packages that it may use.
    pub uses: Vec<Use>,
}

/// A package that another may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// Cargo's identifier of what is used.
    pub package: String,
    /// Whether its build script uses it, and not the package itself.
    pub by_script: bool,
    /// The features of the user, any of which turns it on; `None` if it is always used.
    pub features: Option<BTreeSet<String>>,
}

impl Use {
    /// Whether a package that is compiled with these features has it.
    pub fn is_on(&self, features: &BTreeSet<String>) -> bool {
        self.features.as_ref().is_none_or(|any| any.iter().any(|feature| features.contains(feature)))
    }
}

/// Asks Cargo what is resolved for a triple; `flags` select features, as in `cargo build`.
///
/// # Errors
/// When Cargo cannot resolve it, or the lock file cannot be read.
pub fn resolved(options: &CargoOptions, lock_file: &Path, triple: &str, flags: &[String]) -> Result<Resolved> {
    let flags = ["--filter-platform", triple].into_iter().chain(flags.iter().map(String::as_str));
    let metadata = metadata(options, &flags.collect::<Vec<_>>(), &|_| {})?;
    let checksums = checksums(lock_file)?;
    let nodes = metadata.resolve.context("cargo resolved nothing")?.nodes;
    let nodes: BTreeMap<&str, &Node> = nodes.iter().map(|node| (node.id.repr.as_str(), node)).collect();
    let packages: BTreeMap<&str, &Package> =
        metadata.packages.iter().map(|package| (package.id.repr.as_str(), package)).collect();
    let one = |(id, package): (&&str, &&Package)| {
        let uses = nodes.get(id).into_iter().flat_map(|node| &node.deps);
        let uses =
            uses.flat_map(|of| packages.get(of.pkg.repr.as_str()).map(|used| uses_of(package, of, used)).unwrap_or_default());
        let source = package.source.as_ref().map(|source| source.repr.clone());
        let key = (package.name.to_string(), package.version.to_string(), source.clone());
        let resolved = ResolvedPackage {
            name: package.name.to_string(),
            version: package.version.clone(),
            about: AboutCrate::of(package, checksums.get(&key).cloned()),
            source,
            is_macro: package.targets.iter().any(cargo_metadata::Target::is_proc_macro),
            uses: uses.collect(),
        };
        ((*id).to_owned(), resolved)
    };
    Ok(packages.iter().map(one).collect())
}

/// How a package uses another: normally, in its build script, or both.
fn uses_of(user: &Package, of: &NodeDep, used: &Package) -> Vec<Use> {
    let of_kind = |(kind, by_script): (DependencyKind, bool)| {
        let tables: Vec<_> = of.dep_kinds.iter().filter(|table| table.kind == kind).map(|table| &table.target).collect();
        if tables.is_empty() {
            return None;
        }
        // The entries of the manifest that led here; there may be some for several platforms, and of other versions.
        let is_it = |entry: &&Dependency| {
            let renamed = entry.rename.as_ref().is_none_or(|rename| rename.replace('-', "_") == of.name);
            entry.kind == kind && tables.contains(&&entry.target) && entry.name == *used.name && renamed
        };
        let mut entries: Vec<&Dependency> = user.dependencies.iter().filter(is_it).collect();
        if entries.iter().any(|entry| entry.req.matches(&used.version)) {
            entries.retain(|entry| entry.req.matches(&used.version));
        }
        let key = |entry: &&Dependency| entry.rename.clone().unwrap_or_else(|| entry.name.clone());
        let is_optional = entries.iter().all(|entry| entry.optional);
        // Where the manifest does not tell, it is taken to be used.
        let features = entries.first().filter(|_| is_optional).map(key).map(|key| activating(user, &key));
        Some(Use { package: used.id.repr.clone(), by_script, features })
    };
    [(DependencyKind::Normal, false), (DependencyKind::Build, true)].into_iter().filter_map(of_kind).collect()
}

/// The features of a package that turn an optional dependency on: `dep:NAME`, or a feature of it, unless written `NAME?/FEATURE`.
fn activating(user: &Package, dependency: &str) -> BTreeSet<String> {
    let turns_on = |value: &String| {
        let value = value.as_str();
        value.strip_prefix("dep:") == Some(dependency) || value.split_once('/').is_some_and(|(name, _)| name == dependency)
    };
    user.features.iter().filter(|(_, values)| values.iter().any(turns_on)).map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_turn_optional_dependencies_on() {
        let package: Package = serde_json::from_value(serde_json::json!({
            "name": "x", "version": "1.0.0", "id": "x", "dependencies": [], "targets": [], "manifest_path": "/x/Cargo.toml",
            "features": {"a": ["dep:log"], "b": ["log/std"], "c": ["log?/std"], "d": ["a"], "log": ["dep:log"], "e": ["logger/std"]}
        }))
        .expect("package");
        let on = Use { package: "log".into(), by_script: false, features: Some(activating(&package, "log")) };
        assert_eq!(on.features, Some(["a", "b", "log"].map(str::to_owned).into()));
        let with = |features: &[&str]| on.is_on(&features.iter().map(|&feature| feature.to_owned()).collect());
        assert!(with(&["a", "d"]) && !with(&["c", "e"]) && !with(&[]));
        assert!(Use { features: None, ..on.clone() }.is_on(&BTreeSet::new()));
    }
}
