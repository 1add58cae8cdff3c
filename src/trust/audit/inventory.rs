//! What is audited: lists of crates and of Debian's packages, each with the services that have them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::trust::purl::Purl;
use crate::trust::{CrateKind, CrateList, ListedCrate};

/// Everything that a bundle or a workspace consists of, as far as it is listed.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// Names of the whole, for statements about it.
    pub products: Vec<Purl>,
    /// The crates of executables.
    pub crates: Vec<AuditedCrates>,
    /// The packages of images.
    pub packages: Vec<AuditedPackages>,
}

/// The crates of one executable.
#[derive(Clone, Debug)]
pub struct AuditedCrates {
    /// The services that run it.
    pub services: Vec<String>,
    /// Its path in their image, if it was built.
    pub file: Option<String>,
    /// The processor that it is for, in Rust's words, if that is known.
    pub arch: Option<String>,
    /// The crates.
    pub list: CrateList,
}

/// Debian's packages in images or a base.
#[derive(Clone, Debug)]
pub struct AuditedPackages {
    /// The services whose images have them.
    pub services: Vec<String>,
    /// The base that they are of, in the user's words, if that is known.
    pub base: Option<String>,
    /// Debian's release, such as `12`.
    pub release: Option<String>,
    /// The packages.
    pub list: Vec<AuditedPackage>,
}

/// A package, and the source package that it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditedPackage {
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// The source package's name.
    pub source: String,
    /// The source package's version.
    pub source_version: String,
}

impl Inventory {
    /// The names to look up, and whether they are Debian's.
    pub fn names(&self) -> BTreeSet<(bool, &str)> {
        let crates = self.crates.iter().flat_map(|set| &set.list.packages).map(|package| (false, package.name.as_str()));
        let packages = self.packages.iter().flat_map(|set| &set.list).map(|package| (true, package.source.as_str()));
        crates.chain(packages).collect()
    }

    /// How many crates of the public registry there are, each version once.
    pub fn crate_count(&self) -> usize {
        let all = self.crates.iter().flat_map(AuditedCrates::from_crates_io);
        all.map(|(_, name, version)| (name, version)).collect::<BTreeSet<_>>().len()
    }

    /// How many of Debian's packages there are, each version once.
    pub fn package_count(&self) -> usize {
        let all = self.packages.iter().flat_map(|set| &set.list);
        all.map(|package| (&package.name, &package.version)).collect::<BTreeSet<_>>().len()
    }
}

impl AuditedCrates {
    /// The crates of the public registry that are in the executable: the place in the list, name and version.
    pub fn from_crates_io(&self) -> impl Iterator<Item = (usize, &str, String)> {
        let packages = self.list.packages.iter().enumerate();
        let is_public = |package: &ListedCrate| package.source == "crates.io" && package.kind == CrateKind::Runtime;
        packages
            .filter(move |(_, package)| is_public(package))
            .map(|(at, package)| (at, package.name.as_str(), package.version.to_string()))
    }

    /// The package that the executable is of.
    pub fn root(&self) -> Option<Purl> {
        self.list.root().map(|root| Purl::of_crate(&root.name, &root.version.to_string()))
    }

    /// For each crate the one that brings it in, on the shortest way from the executable's package; none for where ways begin: at
    /// that package, and at crates that no other uses.
    pub fn users(&self) -> Vec<Option<usize>> {
        let packages = &self.list.packages;
        let mut is_used = vec![false; packages.len()];
        for used in packages.iter().flat_map(|package| &package.dependencies) {
            if let Some(is_used) = is_used.get_mut(*used) {
                *is_used = true;
            }
        }
        let root = packages.iter().position(|package| package.root);
        let tops = is_used.iter().enumerate().filter(|(_, is_used)| !**is_used).map(|(at, _)| at);
        let mut users: Vec<Option<usize>> = vec![None; packages.len()];
        let mut is_seen = vec![false; packages.len()];
        for top in root.into_iter().chain(tops) {
            let mut open = VecDeque::from([(top, None)]);
            while let Some((at, user)) = open.pop_front() {
                let (Some(package), Some(seen), Some(own)) = (packages.get(at), is_seen.get_mut(at), users.get_mut(at)) else {
                    continue;
                };
                if !std::mem::replace(seen, true) {
                    *own = user;
                    open.extend(package.dependencies.iter().map(|used| (*used, Some(at))));
                }
            }
        }
        users
    }

    /// The way to a crate, each as `NAME VERSION`; `users` is what [`Self::users`] gives.
    pub fn path_to(&self, wanted: usize, users: &[Option<usize>]) -> Vec<String> {
        let mut path = Vec::new();
        let mut at = Some(wanted);
        while let Some(package) = at.and_then(|at| self.list.packages.get(at)).filter(|_| path.len() <= users.len()) {
            path.push(format!("{} {}", package.name, package.version));
            at = at.and_then(|at| users.get(at).copied().flatten());
        }
        path.reverse();
        path
    }
}

impl AuditedPackages {
    /// The source packages with their versions, each with the packages made of it, by name.
    pub fn by_source(&self) -> Vec<(&str, &str, Vec<&AuditedPackage>)> {
        let mut sources: BTreeMap<(&str, &str), Vec<&AuditedPackage>> = BTreeMap::new();
        for package in &self.list {
            sources.entry((&package.source, &package.source_version)).or_default().push(package);
        }
        let sorted = |mut list: Vec<_>| {
            list.sort_by(|one: &&AuditedPackage, other: &&AuditedPackage| one.name.cmp(&other.name));
            list
        };
        sources.into_iter().map(|((source, version), list)| (source, version, sorted(list))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(packages: &[(&str, &[usize])], root: Option<usize>) -> AuditedCrates {
        let package = |(at, (name, dependencies)): (usize, &(&str, &[usize]))| ListedCrate {
            name: (*name).to_owned(),
            version: semver::Version::new(1, 0, 0),
            source: "crates.io".into(),
            kind: CrateKind::Runtime,
            dependencies: dependencies.to_vec(),
            root: root == Some(at),
        };
        let list = CrateList { packages: packages.iter().enumerate().map(package).collect(), format: 0 };
        AuditedCrates { services: Vec::new(), file: None, arch: None, list }
    }

    #[test]
    fn the_shortest_way_is_told() {
        let way = |set: AuditedCrates, wanted: usize| set.path_to(wanted, &set.users()).join(" > ");
        let packages: [(&str, &[usize]); 5] = [("app", &[1, 3]), ("http", &[2]), ("tls", &[4]), ("log", &[4]), ("time", &[])];
        assert_eq!(way(set(&packages, Some(0)), 4), "app 1.0.0 > log 1.0.0 > time 1.0.0");
        assert_eq!(way(set(&packages, Some(0)), 0), "app 1.0.0");
        assert_eq!(way(set(&packages, None), 2), "app 1.0.0 > http 1.0.0 > tls 1.0.0");
        assert_eq!(way(set(&packages, Some(1)), 4), "http 1.0.0 > tls 1.0.0 > time 1.0.0");
        // Lists that say of themselves what cannot be.
        assert_eq!(way(set(&[("a", &[7]), ("b", &[])], None), 1), "b 1.0.0");
        assert_eq!(way(set(&[("a", &[1]), ("b", &[0])], None), 1), "b 1.0.0");
        assert_eq!(way(set(&[], None), 3), "");
    }
}
