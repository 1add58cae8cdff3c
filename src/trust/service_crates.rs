//! The crates in the executable of a service.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;
use serde::{Deserialize, Serialize};

use super::crate_list::{CrateKind, CrateList, ListedCrate};
use super::origin::Origin;
use crate::workspace::{AboutCrate, CompiledUnits, Resolved, ResolvedPackage, Use};

/// The crates in the executable of one service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceCrates {
    /// The service's name.
    pub service: String,
    /// The crates, by name and version; `dependencies` are their places here.
    pub crates: Vec<UsedCrate>,
    /// Whether these are all. If not, it is not known of what the executable is made.
    pub complete: bool,
}

/// A crate in an executable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedCrate {
    /// The package's name.
    pub name: String,
    /// The package's version.
    pub version: Version,
    /// Where it is from.
    pub origin: Origin,
    /// The features that it is compiled with.
    pub features: Vec<String>,
    /// What its manifest says of it.
    pub about: AboutCrate,
    /// The places of the crates that it uses, in order.
    pub dependencies: Vec<usize>,
    /// Whether the executable is of this package.
    pub root: bool,
}

impl ServiceCrates {
    /// The crates in an executable of the package `root`, by Cargo's identifier, and in the libraries of packages that it loads: those that were compiled for its machine, as far as
    /// it uses them with the features that they were compiled with. Macros and what build scripts use are not in it, except for
    /// packages of C sources, which are compiled and linked.
    pub fn compiled(service: &str, root: &str, libraries: &[&str], units: &CompiledUnits, resolved: &Resolved) -> Self {
        let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut open = vec![root];
        while let Some(id) = open.pop() {
            if found.contains_key(id) {
                continue;
            }
            let Some(package) = resolved.get(id) else { continue };
            let none = BTreeSet::new();
            let features = units.target.get(id).unwrap_or(&none);
            let is_in_it = |id: &str, by_script: bool| match by_script {
                false => units.target.contains_key(id) && resolved.get(id).is_some_and(|used| !used.is_macro),
                true => units.host.contains(id) && package.about.links.is_some() && resolved.get(id).is_some_and(is_of_sources),
            };
            let is_used = |of: &&Use| of.is_on(features) && is_in_it(&of.package, of.by_script);
            let uses = package.uses.iter().filter(is_used);
            let loaded = libraries.iter().copied().filter(|library| id == root && *library != root);
            let uses: BTreeSet<&str> = uses.map(|of| of.package.as_str()).chain(loaded).collect();
            open.extend(&uses);
            found.insert(id, uses);
        }
        let mut roots = libraries.iter().chain([&root]);
        let complete = roots.all(|id| units.target.contains_key(*id) && found.contains_key(id));
        // In the order that cargo-auditable has.
        let mut ids: Vec<&str> = found.keys().copied().collect();
        ids.sort_by_key(|id| (resolved.get(*id).map(|package| package.name.as_str()), *id));
        let places: BTreeMap<&str, usize> = ids.iter().enumerate().map(|(at, id)| (*id, at)).collect();
        let one = |id: &&str| {
            let uses = found.get(id).into_iter().flatten();
            let mut dependencies: Vec<usize> = uses.filter_map(|used| places.get(used)).copied().collect();
            dependencies.sort_unstable();
            let features = units.target.get(*id).into_iter().flatten().cloned().collect();
            Some(UsedCrate::of(resolved.get(*id)?, features, dependencies, *id == root))
        };
        Self { service: service.to_owned(), crates: ids.iter().filter_map(one).collect(), complete }
    }

    /// The crates that an executable lists itself.
    pub fn listed(service: &str, list: &CrateList) -> Self {
        let kept = |listed: &&ListedCrate| listed.kind == CrateKind::Runtime;
        let old: Vec<usize> = list.packages.iter().enumerate().filter(|(_, listed)| kept(listed)).map(|(at, _)| at).collect();
        let place = |at: &usize| old.binary_search(at).ok();
        let one = |listed: &ListedCrate| UsedCrate {
            name: listed.name.clone(),
            version: listed.version.clone(),
            origin: Origin::of_word(&listed.source),
            features: Vec::new(),
            about: AboutCrate::default(),
            dependencies: listed.dependencies.iter().filter_map(place).collect(),
            root: listed.root,
        };
        Self { service: service.to_owned(), crates: list.packages.iter().filter(kept).map(one).collect(), complete: true }
    }

    /// The list that its executable carries; `None` if it is not complete.
    pub fn list(&self) -> Option<CrateList> {
        let one = |used: &UsedCrate| ListedCrate {
            name: used.name.clone(),
            version: used.version.clone(),
            source: used.origin.to_string(),
            kind: CrateKind::Runtime,
            dependencies: used.dependencies.clone(),
            root: used.root,
        };
        // As 1, macros are not among them.
        self.complete.then(|| CrateList { packages: self.crates.iter().map(one).collect(), format: 1 })
    }
}

/// Whether a package holds the sources of a C library, as `openssl-src` does: for these, the name is all there is.
fn is_of_sources(package: &ResolvedPackage) -> bool {
    package.name.ends_with("-src")
}

impl UsedCrate {
    fn of(package: &ResolvedPackage, features: Vec<String>, dependencies: Vec<usize>, root: bool) -> Self {
        let package = package.clone();
        Self {
            name: package.name,
            version: package.version,
            origin: Origin::of(package.source.as_deref()),
            features,
            about: package.about,
            dependencies,
            root,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, links: bool, uses: &[(&str, bool, Option<&str>)]) -> (String, ResolvedPackage) {
        let one = |(id, by_script, feature): &(&str, bool, Option<&str>)| Use {
            package: (*id).to_owned(),
            by_script: *by_script,
            features: feature.map(|feature| [feature.to_owned()].into()),
        };
        let package = ResolvedPackage {
            name: name.to_owned(),
            version: Version::new(1, 0, 0),
            source: None,
            about: AboutCrate { links: links.then(|| name.to_owned()), ..AboutCrate::default() },
            is_macro: name.ends_with("-macro"),
            uses: uses.iter().map(one).collect(),
        };
        (name.to_owned(), package)
    }

    /// Two services on one library, of which one turns a feature on; built together, the library has it in both.
    #[test]
    fn what_was_compiled_counts_and_not_what_was_asked_for() {
        let resolved = Resolved::from([
            package("one", false, &[("common", false, None), ("x-macro", false, None), ("gen", true, None)]),
            package("two", false, &[("common", false, None), ("hidden", false, Some("never"))]),
            package("common", false, &[("extra", false, Some("extra")), ("z-sys", false, None)]),
            package("extra", false, &[]),
            package("z-sys", true, &[("z-src", true, Some("vendored")), ("cc", true, None)]),
            package("z-src", false, &[("cc", false, None)]),
            package("hidden", false, &[]),
            package("x-macro", false, &[("syn", false, None)]),
            package("syn", false, &[]),
            package("gen", false, &[]),
            package("cc", false, &[]),
        ]);
        let units = |targets: &[(&str, &[&str])]| CompiledUnits {
            target: targets
                .iter()
                .map(|(id, features)| ((*id).to_owned(), features.iter().map(|&feature| feature.to_owned()).collect()))
                .collect(),
            host: ["x-macro", "syn", "gen", "cc", "z-src"].map(str::to_owned).into(),
        };
        let together = units(&[("one", &[]), ("two", &[]), ("common", &["extra"]), ("extra", &[]), ("z-sys", &["vendored"])]);
        let names = |of: &ServiceCrates| of.crates.iter().map(|used| used.name.clone()).collect::<Vec<_>>().join(" ");
        let two = ServiceCrates::compiled("two", "two", &[], &together, &resolved);
        assert_eq!(names(&two), "common extra two z-src z-sys");
        assert_eq!(two.crates[0].dependencies, [1, 4]);
        assert!(two.complete && two.crates[2].root && !two.crates[0].root);
        let alone = units(&[("two", &[]), ("common", &[]), ("z-sys", &[]), ("hidden", &[])]);
        assert_eq!(names(&ServiceCrates::compiled("two", "two", &[], &alone, &resolved)), "common two z-sys");
        let list = two.list().expect("a list");
        let again = ServiceCrates::listed("two", &CrateList::parse(&list.write().expect("written")).expect("read"));
        assert_eq!(again.list(), Some(list));
        assert!(ServiceCrates::compiled("one", "one", &[], &alone, &resolved).list().is_none(), "it was not compiled");
    }
}
