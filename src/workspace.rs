//! What Cargo knows of a workspace: the one door to `cargo metadata`.

mod about;
mod commit;
mod compiled_units;
mod features;
mod graph;
mod lock_file;
mod metadata;
mod options;
mod refusal;
mod resolved;
mod runtime_crates;
pub mod targets;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use cargo_metadata::{CrateType, DependencyKind, TargetKind};
use semver::Version;

use crate::fs::{self, Stamp};

pub use about::AboutCrate;
pub use commit::{ChangesIn, Checkout, Commit, OF_HOOKS, git};
pub use compiled_units::CompiledUnits;
pub use features::{Unified, unified};
pub use graph::{Compiled, Selection, fetch, graph};
use metadata::metadata;
pub use options::CargoOptions;
pub use resolved::{Resolved, ResolvedPackage, Use, resolved};
pub use runtime_crates::{RuntimeCrate, runtime_crates};
pub use tree::Side;

/// A workspace, or a single package, which is a workspace of one.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// The folder of the root manifest.
    pub root: PathBuf,
    /// Where Cargo builds.
    pub target_dir: PathBuf,
    /// `workspace.metadata`.
    pub metadata: serde_json::Value,
    /// All members, by name.
    pub members: Vec<Member>,
    /// All manifests, and the folders in which a new member would be seen, as they were when Cargo was asked; none if that is not
    /// certain.
    pub stamps: Option<Vec<(PathBuf, Stamp)>>,
}

/// A package of the workspace.
#[derive(Clone, Debug)]
pub struct Member {
    /// The package's name.
    pub name: String,
    /// The package's version.
    pub version: Version,
    /// Cargo's identifier, as its messages have it.
    pub id: String,
    /// Absolute path of its `Cargo.toml`.
    pub manifest: PathBuf,
    /// Names of its executables.
    pub bins: Vec<String>,
    /// Its library, if it has one.
    pub library: Option<MemberLibrary>,
    /// The features without which Cargo does not build an executable; only of those that need some.
    pub required_features: BTreeMap<String, Vec<String>>,
    /// `default-run`
    pub default_run: Option<String>,
    /// Names of its features.
    pub features: Vec<String>,
    /// The packages that it depends on, without those for tests and build scripts.
    pub dependencies: Vec<String>,
    /// Whether `publish` is `false`.
    pub is_private: bool,
    /// `license`
    pub license: Option<String>,
    /// `repository`
    pub repository: Option<String>,
    /// `package.metadata`.
    pub metadata: serde_json::Value,
}

/// The library of a member.
#[derive(Clone, Debug)]
pub struct MemberLibrary {
    /// Its name, as Rust code has it.
    pub name: String,
    /// Its types: `lib`, `cdylib` and others.
    pub crate_types: Vec<CrateType>,
}

impl MemberLibrary {
    /// Whether Cargo makes a library of it that loaders load.
    pub fn is_shared(&self) -> bool {
        self.crate_types.iter().any(|of| matches!(of, CrateType::CDyLib | CrateType::DyLib))
    }
}

impl Member {
    /// Whether its manifest has a feature of this name.
    pub fn has_feature(&self, name: &str) -> bool {
        self.features.iter().any(|feature| feature == name)
    }

    /// The folder of its manifest.
    pub fn folder(&self) -> &Path {
        self.manifest.parent().unwrap_or(Path::new("/"))
    }
}

impl Workspace {
    /// Asks Cargo; no dependency is resolved.
    ///
    /// # Errors
    /// When Cargo cannot be run, or refuses; in words for the user.
    pub fn read(options: &CargoOptions) -> Result<Self> {
        let asked = fs::now();
        let metadata = metadata(options, &["--no-deps"], &|_| {})?;
        let target_dir = match &options.target_dir {
            Some(folder) => std::path::absolute(folder).context("failed to find the current folder")?,
            None => metadata.target_directory.clone().into_std_path_buf(),
        };
        let mut members: Vec<Member> = metadata.workspace_packages().into_iter().map(member).collect();
        members.sort_by(|a, b| (&a.name, &a.manifest).cmp(&(&b.name, &b.manifest)));
        let root = metadata.workspace_root.clone().into_std_path_buf();
        Ok(Self {
            stamps: stamps(&root, &members, asked),
            root,
            target_dir,
            metadata: metadata.workspace_metadata.clone(),
            members,
        })
    }

    /// Absolute path of the root manifest.
    pub fn manifest(&self) -> PathBuf {
        self.root.join("Cargo.toml")
    }

    /// The member whose manifest is the root manifest.
    pub fn root_package(&self) -> Option<&Member> {
        let manifest = self.manifest();
        self.members.iter().find(|member| member.manifest == manifest)
    }
}

/// What Cargo read, provided that nothing of it is so young that it may have changed since without another stamp.
fn stamps(root: &Path, members: &[Member], asked: u128) -> Option<Vec<(PathBuf, Stamp)>> {
    let manifest = root.join("Cargo.toml");
    let mut paths = BTreeSet::from([manifest.clone()]);
    for member in members {
        paths.insert(member.manifest.clone());
        let around = member.folder().ancestors().skip(1);
        let depth = if member.folder().starts_with(root) { usize::MAX } else { 1 };
        paths.extend(around.take(depth).take_while(|folder| *folder != root).map(Path::to_owned));
    }
    // Much happens in the root itself that is nothing to members; only a pattern that begins there finds new ones there.
    let table: toml::Table = std::fs::read_to_string(manifest).ok()?.parse().ok()?;
    let patterns = table.get("workspace").and_then(|workspace| workspace.get("members")?.as_array());
    let begins = |pattern: &toml::Value| {
        pattern.as_str().and_then(|text| text.split('/').next()).is_some_and(|first| first.contains(['*', '?', '[']))
    };
    if patterns.is_some_and(|patterns| patterns.iter().any(begins)) {
        paths.insert(root.to_owned());
    }
    let stamped =
        paths.into_iter().map(|path| Stamp::read(&path).ok().filter(|stamp| stamp.is_before(asked)).map(|stamp| (path, stamp)));
    stamped.collect()
}

fn member(package: &cargo_metadata::Package) -> Member {
    let bins = || package.targets.iter().filter(|target| target.kind.contains(&TargetKind::Bin));
    let with_features = bins().filter(|target| !target.required_features.is_empty());
    let library = package.targets.iter().find(|target| {
        target.crate_types.iter().any(|of| !matches!(of, CrateType::Bin | CrateType::ProcMacro))
            && !target.kind.iter().any(|kind| matches!(kind, TargetKind::Example | TargetKind::CustomBuild))
    });
    let normal = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
    Member {
        name: package.name.to_string(),
        version: package.version.clone(),
        id: package.id.repr.clone(),
        manifest: package.manifest_path.clone().into_std_path_buf(),
        bins: bins().map(|target| target.name.clone()).collect(),
        library: library
            .map(|target| MemberLibrary { name: target.name.replace('-', "_"), crate_types: target.crate_types.clone() }),
        required_features: with_features.map(|target| (target.name.clone(), target.required_features.clone())).collect(),
        default_run: package.default_run.clone(),
        features: package.features.keys().cloned().collect(),
        dependencies: normal.map(|dependency| dependency.name.clone()).collect(),
        license: package.license.clone(),
        repository: package.repository.clone(),
        is_private: package.publish.as_ref().is_some_and(Vec::is_empty),
        metadata: package.metadata.clone(),
    }
}
