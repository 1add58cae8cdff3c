//! The packages that services are made of.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use cargo_metadata::{Package, TargetKind};
use semver::Version;

use super::metadata::metadata;
use super::options::CargoOptions;
use super::tree::{self, Side};
use crate::process;

/// A package that is compiled for services, on one side.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// The machine that it is compiled for. A package may be compiled for both.
    pub side: Side,
    /// The features that it is compiled with.
    pub features: Vec<String>,
    /// The names of the packages that depend on it.
    pub dependents: Vec<String>,
    /// `package.metadata`.
    pub metadata: serde_json::Value,
    /// Its build script.
    pub build_script: Option<PathBuf>,
}

/// The selection of packages and features for a graph.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// The packages of the services.
    pub packages: Vec<String>,
    /// Features, as `--features` takes them.
    pub features: Vec<String>,
    /// `--all-features`
    pub all_features: bool,
    /// `--no-default-features`
    pub no_default_features: bool,
}

impl Selection {
    /// The flags that Cargo takes for it.
    pub fn flags(&self) -> Vec<&str> {
        let mut flags: Vec<&str> = self.packages.iter().flat_map(|package| ["-p", package]).collect();
        flags.extend(self.features.iter().flat_map(|feature| ["--features", feature]));
        for (on, flag) in [(self.all_features, "--all-features"), (self.no_default_features, "--no-default-features")] {
            flags.extend(on.then_some(flag));
        }
        flags
    }
}

/// Has Cargo fetch the dependencies that compiling for a triple needs, as far as they are not there.
///
/// # Errors
/// When one of them or the toolchain cannot be had, in words for the user.
pub fn fetch(options: &CargoOptions, triple: &str, step: &dyn Fn(&str)) -> Result<()> {
    packages(options, triple, step).map(drop)
}

fn packages(options: &CargoOptions, triple: &str, step: &dyn Fn(&str)) -> Result<Vec<Package>> {
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let triples = if host == triple { vec![triple] } else { vec![triple, &host] };
    let platforms: Vec<&str> = triples.iter().flat_map(|triple| ["--filter-platform", triple]).collect();
    Ok(metadata(options, &platforms, step)?.packages)
}

/// What services of a triple are compiled of: `cargo tree` knows which, and `cargo metadata` knows what they are.
///
/// # Errors
/// As [`fetch`].
pub fn graph(options: &CargoOptions, selection: &Selection, triple: &str, step: &dyn Fn(&str)) -> Result<Vec<Compiled>> {
    let packages = packages(options, triple, step)?;
    let nodes = tree::parse(&process::capture(&mut command(options, selection, triple))?);
    let compiled = |((name, version, side), node): (tree::TreeKey, tree::TreePackage)| {
        let version: Version = version.parse().ok()?;
        let package = packages.iter().find(|package| *package.name == *name && package.version == version)?;
        let script = package.targets.iter().find(|target| target.kind.contains(&TargetKind::CustomBuild));
        Some(Compiled {
            name,
            version,
            side,
            features: node.features.into_iter().collect(),
            dependents: node.dependents.into_iter().map(|(name, _)| name).collect(),
            metadata: package.metadata.clone(),
            build_script: script.map(|script| script.src_path.clone().into_std_path_buf()),
        })
    };
    Ok(nodes.into_iter().filter_map(compiled).collect())
}

fn command(options: &CargoOptions, selection: &Selection, triple: &str) -> Command {
    let mut command = Command::new(&options.program);
    command.args(["tree", "--target", triple, "--edges", "normal,build"]);
    command.args(["--charset", "ascii", "--prefix", "indent", "--format", "{p}\t{f}"]);
    if let Some(path) = &options.manifest_path {
        command.arg("--manifest-path").arg(path);
    }
    command.args(selection.flags());
    command.args(options.common_flags());
    command
}
