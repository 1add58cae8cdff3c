//! What `cargo tree` prints: which packages services are made of, with which features, and who depends on whom.

use std::collections::{BTreeMap, BTreeSet};

/// The width of a level of the tree, as ASCII draws it.
const LEVEL: usize = 4;

/// The machine that a package is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The one that compiles: build scripts, macros, and what these depend on.
    Host,
    /// The one that the services run on.
    Target,
}

/// A package by name and version, and the machine that it is compiled for.
pub type TreeKey = (String, String, Side);

/// What the tree tells of a package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TreePackage {
    pub features: BTreeSet<String>,
    /// The names and versions of the packages that depend on it.
    pub dependents: BTreeSet<(String, String)>,
}

/// Reads a tree in ASCII with edges `normal` and `build`, whose format is `{p}TAB{f}`.
pub fn parse(text: &str) -> BTreeMap<TreeKey, TreePackage> {
    let mut nodes: BTreeMap<TreeKey, TreePackage> = BTreeMap::new();
    // The packages above the line, and for each depth whether build dependencies are listed there.
    let mut above: Vec<TreeKey> = Vec::new();
    let mut is_build: Vec<bool> = Vec::new();
    for line in text.lines() {
        let start = line.find(|letter: char| !"|`- ".contains(letter)).unwrap_or(line.len());
        let (depth, content) = (start / LEVEL, &line[start..]);
        if content.starts_with("[build-dependencies]") {
            is_build.resize(depth + 2, false);
            is_build[depth + 1] = true;
            continue;
        }
        let Some((package, features)) = content.split_once('\t') else { continue };
        let mut words = package.split(' ');
        let (Some(name), Some(version)) = (words.next(), words.next().and_then(|word| word.strip_prefix('v'))) else { continue };
        above.truncate(depth);
        // What stood deeper was of other packages.
        is_build.resize(depth + 1, false);
        let parent = above.last();
        let is_host =
            parent.is_some_and(|(_, _, side)| *side == Side::Host) || is_build[depth] || words.any(|word| word == "(proc-macro)");
        let side = if is_host { Side::Host } else { Side::Target };
        let key = (name.to_owned(), version.to_owned(), side);
        let node = nodes.entry(key.clone()).or_default();
        let features = features.trim_end_matches("(*)").trim().split(',').filter(|name| !name.is_empty());
        node.features.extend(features.map(str::to_owned));
        node.dependents.extend(parent.map(|(name, version, _)| (name.clone(), version.clone())));
        above.push(key);
    }
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_for_the_host_below_build_dependencies_and_macros() {
        let text = "\
own v0.1.0 (/w/own)\tdefault
|-- openssl v0.10.82\tdefault
|   |-- openssl-macros v0.1.1 (proc-macro)\t
|   |   `-- syn v2.0.1\tfull
|   `-- openssl-sys v0.9.118\t
|       `-- libc v0.2.1\tdefault,std
|       [build-dependencies]
|       `-- cc v1.1.0\tparallel
|           `-- libc v0.2.1\tstd
`-- log v0.4.1\t
[build-dependencies]
`-- prost-build v0.13.5\tdefault
    `-- log v0.4.1\tkv (*)

other v1.0.0 (/w/other)\t
`-- log v0.4.1\t
";
        let nodes = parse(text);
        let shown = |side: Side| -> Vec<&str> {
            nodes.keys().filter(|(_, _, of)| *of == side).map(|(name, _, _)| name.as_str()).collect()
        };
        assert_eq!(shown(Side::Target), ["libc", "log", "openssl", "openssl-sys", "other", "own"]);
        assert_eq!(shown(Side::Host), ["cc", "libc", "log", "openssl-macros", "prost-build", "syn"]);
        let log = &nodes[&("log".into(), "0.4.1".into(), Side::Host)];
        assert_eq!(log.features, BTreeSet::from(["kv".to_owned()]));
        let log = &nodes[&("log".into(), "0.4.1".into(), Side::Target)];
        let of = |name: &str, version: &str| (name.to_owned(), version.to_owned());
        assert_eq!(log.dependents, BTreeSet::from([of("other", "1.0.0"), of("own", "0.1.0")]));
    }
}
