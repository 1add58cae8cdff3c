//! Which features dependencies get only because several services are compiled at once.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::Result;
use serde::Serialize;

use super::options::CargoOptions;
use crate::process;

/// A dependency that is compiled once for several services, with more features than one of them alone would have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unified {
    /// Name and version.
    pub package: String,
    /// Features that not all services that use the package ask for, with those that do.
    pub features: BTreeMap<String, BTreeSet<String>>,
}

type Tree = BTreeMap<String, BTreeSet<String>>;

/// Compares what `cargo tree` says of each service alone. `services` are names with package, features, and whether
/// these are on top of the default ones; dependencies of
/// build scripts and macros are left out, since their features do not reach the executables.
///
/// # Errors
/// When Cargo cannot resolve the dependencies.
pub fn unified(options: &CargoOptions, services: &[(&str, &str, &[String], bool)], triple: &str) -> Result<Vec<Unified>> {
    let trees = services
        .iter()
        .map(|(name, package, features, default)| Ok((*name, tree(options, package, features, *default, triple)?)))
        .collect::<Result<Vec<_>>>()?;
    Ok(compare(&trees))
}

fn tree(options: &CargoOptions, package: &str, features: &[String], default: bool, triple: &str) -> Result<Tree> {
    let mut command = Command::new(&options.program);
    command.args(["tree", "--package", package, "--target", triple, "--edges", "normal,no-proc-macro"]);
    command.args(["--prefix", "none", "--format", "{p}\t{f}"]);
    if let Some(path) = &options.manifest_path {
        command.arg("--manifest-path").arg(path);
    }
    if !default {
        command.arg("--no-default-features");
    }
    if !features.is_empty() {
        command.arg("--features").arg(features.join(","));
    }
    command.args(options.common_flags());
    Ok(process::capture(&mut command)?.lines().filter_map(line).collect())
}

/// `NAME vVERSION (SOURCE) TAB FEATURE,FEATURE (*)`
fn line(line: &str) -> Option<(String, BTreeSet<String>)> {
    let (package, features) = line.split_once('\t')?;
    let package = package.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let features = features.trim_end_matches("(*)").trim().split(',').filter(|name| !name.is_empty());
    Some((package, features.map(str::to_owned).collect()))
}

fn compare(trees: &[(&str, Tree)]) -> Vec<Unified> {
    let packages: BTreeSet<&String> = trees.iter().flat_map(|(_, tree)| tree.keys()).collect();
    let mut all = Vec::new();
    for package in packages {
        let users: Vec<(&str, &BTreeSet<String>)> =
            trees.iter().filter_map(|(service, tree)| Some((*service, tree.get(package)?))).collect();
        let mut features: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (service, own) in &users {
            for name in *own {
                features.entry(name.clone()).or_default().insert((*service).to_owned());
            }
        }
        features.retain(|_, who| who.len() < users.len());
        if !features.is_empty() {
            all.push(Unified { package: package.clone(), features });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_some_ask_for() {
        let tree = |text: &str| text.lines().filter_map(line).collect::<Tree>();
        let trees = [
            ("one", tree("one v1.0.0 (/x)\t\nlog v0.4.1\tstd\nalone v1.0.0\tx\nlog v0.4.1\tstd (*)\n")),
            ("two", tree("two v1.0.0 (/y)\tdefault\nlog v0.4.1\tkv,std\n")),
        ];
        let unified = compare(&trees);
        assert_eq!(unified.len(), 1);
        assert_eq!(unified[0].package, "log v0.4.1");
        assert_eq!(unified[0].features, BTreeMap::from([("kv".to_owned(), BTreeSet::from(["two".to_owned()]))]));
    }
}
