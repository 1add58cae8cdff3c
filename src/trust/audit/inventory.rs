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

    /// The shortest way from the executable's package to a crate, each as `NAME VERSION`. Without a package, the way begins at one
    /// that no other uses.
    pub fn path_to(&self, wanted: usize) -> Vec<String> {
        let packages = &self.list.packages;
        let mut users: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, package) in packages.iter().enumerate() {
            package.dependencies.iter().for_each(|used| users.entry(*used).or_default().push(at));
        }
        let mut next: BTreeMap<usize, Option<usize>> = BTreeMap::from([(wanted, None)]);
        let mut open = VecDeque::from([wanted]);
        let mut top = wanted;
        while let Some(at) = open.pop_front() {
            let above = users.get(&at).map(Vec::as_slice).unwrap_or_default();
            top = at;
            if packages.get(at).is_some_and(|package| package.root) || above.is_empty() {
                break;
            }
            for user in above {
                if !next.contains_key(user) {
                    next.insert(*user, Some(at));
                    open.push_back(*user);
                }
            }
        }
        let mut path = Vec::new();
        let mut at = Some(top);
        while let Some(package) = at.and_then(|at| packages.get(at)) {
            path.push(format!("{} {}", package.name, package.version));
            at = at.and_then(|at| next.get(&at).copied().flatten());
        }
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
        let packages: [(&str, &[usize]); 5] = [("app", &[1, 3]), ("http", &[2]), ("tls", &[4]), ("log", &[4]), ("time", &[])];
        assert_eq!(set(&packages, Some(0)).path_to(4).join(" > "), "app 1.0.0 > log 1.0.0 > time 1.0.0");
        assert_eq!(set(&packages, Some(0)).path_to(0), ["app 1.0.0"]);
        assert_eq!(set(&packages, None).path_to(2).join(" > "), "app 1.0.0 > http 1.0.0 > tls 1.0.0");
        // A list that says of itself what cannot be.
        assert_eq!(set(&[("a", &[7]), ("b", &[])], None).path_to(1), ["b 1.0.0"]);
        assert_eq!(set(&[], None).path_to(3), Vec::<String>::new());
    }
}
