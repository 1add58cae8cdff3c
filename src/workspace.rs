//! What Cargo knows of a workspace: the one door to `cargo metadata`.

mod features;
pub mod targets;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{DependencyKind, MetadataCommand, TargetKind};
use semver::Version;

use crate::diagnostic::Code;
use crate::fs::{self, Stamp};

pub use features::{Unified, unified};

/// How Cargo is called, for every call of one run.
#[derive(Clone, Debug, Default)]
pub struct CargoOptions {
    /// The cargo that called us, else `cargo`.
    pub program: PathBuf,
    /// `--manifest-path`
    pub manifest_path: Option<PathBuf>,
    /// `--target-dir`
    pub target_dir: Option<PathBuf>,
    /// `--locked`
    pub locked: bool,
    /// `--offline`
    pub offline: bool,
    /// `--frozen`
    pub frozen: bool,
    /// `--config`, as written.
    pub config: Vec<String>,
}

impl CargoOptions {
    /// The flags that every command of Cargo takes.
    pub fn common_flags(&self) -> Vec<String> {
        let mut flags: Vec<String> = Vec::new();
        for (on, flag) in [(self.locked, "--locked"), (self.offline, "--offline"), (self.frozen, "--frozen")] {
            if on {
                flags.push(flag.into());
            }
        }
        for config in &self.config {
            flags.extend(["--config".into(), config.clone()]);
        }
        flags
    }
}

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
    /// `package.metadata`.
    pub metadata: serde_json::Value,
}

impl Member {
    /// The folder of its manifest.
    pub fn folder(&self) -> &Path {
        self.manifest.parent().unwrap_or(Path::new("/"))
    }
}

impl Workspace {
    /// Asks Cargo; no dependency is resolved.
    ///
    /// # Errors
    /// With Cargo's own words.
    pub fn read(options: &CargoOptions) -> Result<Self> {
        let mut command = MetadataCommand::new();
        command.cargo_path(&options.program).no_deps();
        if let Some(path) = &options.manifest_path {
            command.manifest_path(path);
        }
        command.other_options(options.common_flags());
        let asked = fs::now();
        let metadata = match command.exec() {
            Ok(metadata) => metadata,
            Err(cargo_metadata::Error::CargoMetadata { stderr }) => {
                bail!(
                    Code::WorkspaceUnreadable
                        .error(format!("failed to read the workspace\n{}", stderr.trim_end().trim_start_matches("error: ")))
                )
            }
            Err(error) => {
                let program = options.program.display();
                return Err(anyhow::Error::new(error).context(format!("failed to run `{program} metadata`")));
            }
        };
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
    let normal = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
    Member {
        name: package.name.to_string(),
        version: package.version.clone(),
        id: package.id.repr.clone(),
        manifest: package.manifest_path.clone().into_std_path_buf(),
        bins: bins().map(|target| target.name.clone()).collect(),
        required_features: with_features.map(|target| (target.name.clone(), target.required_features.clone())).collect(),
        default_run: package.default_run.clone(),
        features: package.features.keys().cloned().collect(),
        dependencies: normal.map(|dependency| dependency.name.clone()).collect(),
        is_private: package.publish.as_ref().is_some_and(Vec::is_empty),
        metadata: package.metadata.clone(),
    }
}
