//! Which packages come with those that are asked for: `Depends` and `Pre-Depends`, without `Recommends`.
//!
//! Greedy, breadth first: the real package of a name before those that provide it, a provider that is chosen already before others,
//! then the first alternative that can be had. What turns out to conflict with something chosen makes way for the next alternative.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use anyhow::Result;

use super::index::{Candidate, PackageIndex};
use super::recipe::{Distribution, Recipe};
use super::relation::{self, Relation};

/// What stands in for a package that only moves files once: the tree has merged folders from the start.
const MERGED: &str = "usr-is-merged";

/// The folders, users' tables and `os-release`, which every base has.
const FILES: &str = "base-files";

/// Who needs the packages that all suites have.
const ESSENTIAL: &str = "essential = true";

/// Packages that cannot be had as they are asked for: the name in `packages` and what is wrong, whose last line may be `help: …`. The name
/// is none if nobody named a package.
#[derive(Clone, Debug)]
pub struct UnmetPackages(pub Vec<(Option<String>, String)>);

impl fmt::Display for UnmetPackages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n"))
    }
}

impl std::error::Error for UnmetPackages {}

/// One of them: the name in `packages`, and what is wrong.
type Fault = (Option<String>, String);

/// A package that was chosen.
#[derive(Clone, Debug)]
pub struct ChosenPackage<'a> {
    /// The package.
    pub package: &'a Candidate,
    /// The one that depends on it; `None` if it was asked for.
    pub needed_by: Option<&'a str>,
}

struct Resolver<'a> {
    index: &'a PackageIndex,
    recipe: &'a Recipe,
    chosen: BTreeMap<&'a str, ChosenPackage<'a>>,
    /// Provided names, and by whom in which version.
    provided: BTreeMap<&'a str, Vec<(&'a str, Option<&'a str>)>>,
    /// Names that a chosen package conflicts with, and which does.
    excluded: BTreeMap<&'a str, Vec<(&'a str, Relation<'a>)>>,
    open: VecDeque<&'a Candidate>,
}

/// Chooses the packages of a recipe, in the order of their names.
///
/// # Errors
/// [`UnmetPackages`], when packages are unknown, or a dependency cannot be met.
pub fn resolve<'a>(index: &'a PackageIndex, recipe: &'a Recipe) -> Result<Vec<ChosenPackage<'a>>> {
    let mut resolver = Resolver {
        index,
        recipe,
        chosen: BTreeMap::new(),
        provided: BTreeMap::new(),
        excluded: BTreeMap::new(),
        open: VecDeque::new(),
    };
    let mut faults = Vec::new();
    for name in &recipe.packages {
        match resolver.asked(name) {
            Ok(package) => match resolver.conflict(package) {
                Some(other) => faults.push(resolver.unmet(package, &format!("conflicts with `{other}`"))),
                None => resolver.choose(package, None),
            },
            Err(text) => faults.push((Some(name.clone()), text)),
        }
    }
    if !faults.is_empty() {
        return Err(UnmetPackages(faults).into());
    }
    if recipe.essential {
        for package in index.essential() {
            if !resolver.is_without(&package.name) {
                resolver.choose(package, Some(ESSENTIAL));
            }
        }
    }
    // Its dependency on awk is for its script, which is not run.
    if let Some(files) = index.get(FILES).filter(|_| !resolver.chosen.contains_key(FILES)) {
        resolver.note(files, Some("every base"));
    }
    while let Some(package) = resolver.open.pop_front() {
        for group in relation::groups(&package.depends) {
            resolver.meet(package, &group).map_err(|fault| UnmetPackages(vec![fault]))?;
        }
    }
    resolver.check().map_err(|fault| UnmetPackages(vec![fault]))?;
    Ok(resolver.chosen.into_values().collect())
}

impl<'a> Resolver<'a> {
    fn is_without(&self, name: &str) -> bool {
        self.recipe.without.iter().any(|other| other == name)
    }

    fn asked(&self, name: &str) -> Result<&'a Candidate, String> {
        if let Some(package) = self.index.get(name) {
            return Ok(package);
        }
        let suite = &self.recipe.suite;
        match &self.index.providers(name)[..] {
            [only] => Ok(only),
            [] => {
                let help = match self.index.nearest(name) {
                    Some(near) => format!("\nhelp: did you mean `{near}`?"),
                    None if self.recipe.distribution == Distribution::Debian => {
                        "\nhelp: only packages of `main` can be used".to_owned()
                    }
                    None => String::new(),
                };
                Err(format!("`{suite}` has no package `{name}`{help}"))
            }
            several => {
                let names: Vec<String> = several.iter().map(|package| format!("`{}`", package.name)).collect();
                Err(format!("`{name}` is provided by several packages of `{suite}`\nhelp: choose one: {}", names.join(", ")))
            }
        }
    }

    fn choose(&mut self, package: &'a Candidate, needed_by: Option<&'a str>) {
        if !self.chosen.contains_key(&*package.name) {
            self.note(package, needed_by);
            self.open.push_back(package);
        }
    }

    fn note(&mut self, package: &'a Candidate, needed_by: Option<&'a str>) {
        self.chosen.insert(&package.name, ChosenPackage { package, needed_by });
        for provided in relation::list(&package.provides) {
            self.provided.entry(provided.name).or_default().push((&package.name, provided.provided_version()));
        }
        for conflict in relation::list(&package.conflicts) {
            self.excluded.entry(conflict.name).or_default().push((&package.name, conflict));
        }
    }

    fn is_met(&self, wanted: &Relation<'_>) -> bool {
        let real = self.chosen.get(wanted.name).is_some_and(|chosen| wanted.takes(&chosen.package.version));
        let provided = self.provided.get(wanted.name).into_iter().flatten();
        real || provided.into_iter().any(|(_, version)| wanted.takes_provided(*version))
    }

    /// Meets one dependency of a package.
    fn meet(&mut self, by: &'a Candidate, group: &[Relation<'a>]) -> Result<(), Fault> {
        if group.iter().any(|wanted| self.is_without(wanted.name) || self.is_met(wanted)) {
            return Ok(());
        }
        let mut why = Vec::new();
        let merged = group.iter().filter(|wanted| wanted.name == MERGED);
        for wanted in merged.chain(group.iter().filter(|wanted| wanted.name != MERGED)) {
            for package in self.takers(wanted) {
                match self.conflict(package) {
                    None => {
                        self.choose(package, Some(&by.name));
                        return Ok(());
                    }
                    Some(other) => why.push(format!("`{}` conflicts with `{other}`", package.name)),
                }
            }
            match self.index.get(wanted.name) {
                Some(package) if !wanted.takes(&package.version) => {
                    why.push(format!("`{}` has the version {}", package.name, package.version));
                }
                None if self.index.providers(wanted.name).is_empty() => why.push(format!("`{}` does not exist", wanted.name)),
                _ => {}
            }
        }
        why.dedup();
        Err(self.unmet(by, &format!("depends on `{}`: {}", relation::shown(group), why.join(", "))))
    }

    /// The packages that meet a relation, the best first.
    fn takers(&self, wanted: &Relation<'_>) -> Vec<&'a Candidate> {
        let real = self.index.get(wanted.name).filter(|package| wanted.takes(&package.version));
        let providers = self.index.providers(wanted.name).into_iter().filter(|package| {
            let mut provided = relation::list(&package.provides).filter(|provided| provided.name == wanted.name);
            provided.any(|provided| wanted.takes_provided(provided.provided_version()))
        });
        real.into_iter().chain(providers).filter(|package| !self.is_without(&package.name)).collect()
    }

    /// The chosen package that another one conflicts with; of several, the first by name.
    fn conflict(&self, new: &'a Candidate) -> Option<&'a str> {
        let mut found = Vec::new();
        for conflict in relation::list(&new.conflicts) {
            let real = self.chosen.get_key_value(conflict.name).filter(|(_, chosen)| conflict.takes(&chosen.package.version));
            found.extend(real.map(|(name, _)| *name));
            let provided = self.provided.get(conflict.name).into_iter().flatten();
            found.extend(provided.filter(|(_, version)| conflict.takes_provided(*version)).map(|(by, _)| *by));
        }
        let excluding = |name: &str| self.excluded.get(name).into_iter().flatten();
        found.extend(excluding(&new.name).filter(|(_, conflict)| conflict.takes(&new.version)).map(|(by, _)| *by));
        for provided in relation::list(&new.provides) {
            let version = provided.provided_version();
            found.extend(excluding(provided.name).filter(|(_, conflict)| conflict.takes_provided(version)).map(|(by, _)| *by));
        }
        // A package may conflict with a name that it provides itself: no other may provide it.
        found.into_iter().filter(|other| *other != &*new.name).min()
    }

    /// Whether any two are left that cannot be together; those that `essential` brings were not asked one by one.
    fn check(&self) -> Result<(), Fault> {
        match self.chosen.values().find_map(|chosen| Some((chosen.package, self.conflict(chosen.package)?))) {
            Some((package, other)) => Err(self.unmet(package, &format!("conflicts with `{other}`"))),
            None => Ok(()),
        }
    }

    /// What is wrong, with the chain of who needs what.
    fn unmet(&self, package: &Candidate, why: &str) -> Fault {
        let mut text = format!("`{}` {} {why}", package.name, package.version);
        let (mut name, mut last) = (self.chosen.get(&*package.name).and_then(|chosen| chosen.needed_by), None);
        while let Some(by) = name {
            text.push_str(&format!("\n  needed by `{by}`"));
            last = Some(by);
            name = self.chosen.get(by).and_then(|chosen| chosen.needed_by);
        }
        let asked = last.unwrap_or(&package.name);
        let less = if asked == ESSENTIAL { format!("remove `{ESSENTIAL}`") } else { format!("remove `{asked}` from `packages`") };
        text.push_str(&format!("\nhelp: {less}, or leave a dependency out: `without = [\"NAME\"]`"));
        // A virtual package stands in the table under the name that it provides.
        let names = |name: &&String| self.asked(name).is_ok_and(|package| *package.name == *asked);
        (self.recipe.packages.iter().find(names).cloned(), text)
    }
}
