//! The packages that executables will contain, as `cargo tree` knows without compiling.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::Result;
use semver::Version;

use super::graph::Selection;
use super::options::CargoOptions;
use super::refusal::refusal;
use crate::process;

/// A package in an executable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeCrate {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Where it is from: `crates.io`, `registry` for others, `git`, or `local` for paths.
    pub source: &'static str,
    /// The places of the packages that it uses.
    pub dependencies: Vec<usize>,
}

/// The packages that run in executables of a selection for a triple, without those of build scripts and macros.
///
/// # Errors
/// When Cargo cannot resolve the dependencies, in words for the user.
pub fn runtime_crates(options: &CargoOptions, selection: &Selection, triple: &str) -> Result<Vec<RuntimeCrate>> {
    let mut command = Command::new(&options.program);
    command.args(["tree", "--target", triple, "--edges", "normal,no-proc-macro"]);
    command.args(["--prefix", "depth", "--format", " {p}"]);
    if let Some(path) = &options.manifest_path {
        command.arg("--manifest-path").arg(path);
    }
    command.args(selection.flags());
    command.args(options.common_flags());
    let output = process::exchange(&mut command, &[])?;
    anyhow::ensure!(output.status.success(), refusal(&String::from_utf8_lossy(&output.stderr)));
    Ok(parse(&String::from_utf8_lossy(&output.stdout)))
}

/// Reads lines `DEPTH NAME vVERSION (SOURCE) (*)`. What stands below a package is listed once, so edges are put together.
fn parse(text: &str) -> Vec<RuntimeCrate> {
    let mut packages: Vec<RuntimeCrate> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut edges: BTreeSet<(usize, usize)> = BTreeSet::new();
    let mut above: Vec<usize> = Vec::new();
    for line in text.lines() {
        let Some((depth, package)) = line.split_once(' ') else { continue };
        let Ok(depth) = depth.parse::<usize>() else { continue };
        let package = package.trim_end_matches(" (*)");
        let at = match places.get(package) {
            Some(at) => *at,
            None => {
                let Some(parsed) = package_of(package) else { continue };
                packages.push(parsed);
                places.insert(package.to_owned(), packages.len() - 1);
                packages.len() - 1
            }
        };
        above.truncate(depth);
        edges.extend(above.last().map(|parent| (*parent, at)));
        above.push(at);
    }
    for (from, to) in edges {
        if let Some(package) = packages.get_mut(from) {
            package.dependencies.push(to);
        }
    }
    packages
}

fn package_of(text: &str) -> Option<RuntimeCrate> {
    let mut words = text.splitn(3, ' ');
    let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?.parse().ok()?);
    let source = match words.next().map(|rest| rest.trim_start_matches('(')) {
        None | Some("proc-macro)") => "crates.io",
        Some(rest) if rest.starts_with("registry ") => "registry",
        Some(rest) if rest.starts_with('/') => "local",
        Some(_) => "git",
    };
    Some(RuntimeCrate { name: name.to_owned(), version, source, dependencies: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_put_together() {
        let text = "0 web v0.1.0 (/w/web)\n1 http v1.2.3\n2 bytes v1.0.0\n1 own v0.2.0 (/w/own)\n2 http v1.2.3 (*)\n\
            2 fork v0.3.0 (https://git.example/fork?rev=1#abc)\n\n0 store v0.1.0 (/w/store)\n1 own v0.2.0 (/w/own) (*)\n\
            1 inner v1.0.0 (registry `inner`)\n";
        let shown: Vec<String> = parse(text)
            .into_iter()
            .map(|package| format!("{} {} {} {:?}", package.name, package.version, package.source, package.dependencies))
            .collect();
        let expected = [
            "web 0.1.0 local [1, 3]",
            "http 1.2.3 crates.io [2]",
            "bytes 1.0.0 crates.io []",
            "own 0.2.0 local [1, 4]",
            "fork 0.3.0 git []",
            "store 0.1.0 local [3, 6]",
            "inner 1.0.0 registry []",
        ];
        assert_eq!(shown, expected);
    }
}
