//! Checks that each executable runs on its base, so that it does not fail on the device.

use std::borrow::Cow;
use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::app::{Base, BaseChoice, Binary, Facts, runpath};
use crate::debian::package_of_library;
use crate::diagnostic::Code;
use crate::elf::{Elf, Machine, Needing, glibc, needed};

/// Compares executables with their bases: machine, loader, libraries, and versions of symbols.
///
/// # Errors
/// Names the executables, the libraries, both versions and a way out; lists all problems of all executables at once.
pub fn check<'a>(units: impl Iterator<Item = (&'a Binary, &'a Base)>) -> Result<()> {
    let mut all: Vec<Misfit<'_>> = Vec::new();
    for (binary, base) in units {
        all.extend(misfit(binary, base)?);
    }
    let Some(first) = all.first() else { return Ok(()) };
    let texts: Vec<&str> = all.iter().map(|misfit| misfit.text.as_str()).collect();
    bail!(first.code.error(format!("{}\nhelp: {}", texts.join("\n"), help(first, &all))));
}

/// Why an executable does not run on its base.
struct Misfit<'a> {
    base: &'a Base,
    code: Code,
    text: String,
    missing: BTreeSet<String>,
}

/// What helps the first, and others on the same base.
fn help(first: &Misfit<'_>, all: &[Misfit<'_>]) -> String {
    let of_base = all.iter().filter(|other| other.base.choice == first.base.choice);
    let missing: BTreeSet<String> = of_base.flat_map(|other| other.missing.iter().cloned()).collect();
    if matches!(first.base.choice, BaseChoice::Debian(_)) && !first.missing.is_empty() {
        return packages_of(&missing);
    }
    let help = if first.code == Code::BaseGlibc {
        "build against an older glibc (`cargo zigbuild --target TRIPLE.VERSION`), use a newer base, or use `base = \"auto\"`"
    } else if first.base.facts.libraries.is_empty() {
        "use `base = \"auto\"`, or compile a static binary for the target's `-musl` triple"
    } else {
        "use a base that has it, add it with `files` to a folder that the loader searches, or use `base = \"auto\"`"
    };
    help.to_owned()
}

fn misfit<'a>(binary: &Binary, base: &'a Base) -> Result<Option<Misfit<'a>>> {
    let mut faults = Vec::new();
    let machine = binary.elf.machine;
    let mut facts = Cow::Borrowed(&base.facts);
    if binary.beside != Facts::default() {
        facts.to_mut().overlay(binary.beside.clone());
    }
    if let Some(loader) = &binary.elf.interpreter {
        match facts.libraries.get(&facts.resolve(loader)) {
            Some(found) => faults.extend(wrong_machine(found, machine, loader)),
            None => faults.push(format!("its loader `{loader}` is missing")),
        }
    }
    let mut seen = BTreeSet::new();
    let mut missing = BTreeSet::new();
    for root in binary.roots() {
        needed(root, |name, by| {
            let found = facts.library(name, &by.paths);
            if let Some((_, library)) = &found {
                faults.extend(versions(&by.elf, library, name));
            }
            if !seen.insert(name.to_owned()) {
                return Ok(None);
            }
            let Some((place, library)) = found else {
                faults.push(format!("the library `{name}` is missing"));
                missing.insert(name.to_owned());
                return Ok(None);
            };
            faults.extend(wrong_machine(library, machine, name));
            // Its own search path comes first. A `DT_RPATH` also applies to its dependencies.
            let paths = runpath(library, &place).into_iter().chain(by.paths.iter().cloned()).collect();
            Ok(Some(Needing { name: name.to_owned(), elf: Cow::Borrowed(library), paths }))
        })?;
    }
    if faults.is_empty() {
        return Ok(None);
    }
    let mut told = BTreeSet::new();
    faults.retain(|fault| told.insert(fault.clone()));
    let code = if faults.iter().any(|fault| fault.contains("GLIBC_")) { Code::BaseGlibc } else { Code::BaseLibrary };
    let text = format!(
        "`{}` of the service `{}` does not run on the base `{}`:\n  {}",
        binary.path.display(),
        binary.service,
        base.choice,
        faults.join("\n  ")
    );
    Ok(Some(Misfit { base, code, text, missing }))
}

/// Which packages to add for missing libraries.
fn packages_of(missing: &BTreeSet<String>) -> String {
    let packages: BTreeSet<String> = missing.iter().map(|name| format!("`{}`", package_of_library(name))).collect();
    let packages = packages.into_iter().collect::<Vec<_>>().join(" and ");
    format!("add the package with the library to `packages` of `base`: probably {packages}")
}

fn wrong_machine(found: &Elf, machine: Machine, name: &str) -> Option<String> {
    (found.machine != machine).then(|| format!("`{name}` is for {} instead of {}", found.machine.name(), machine.name()))
}

/// Whether needed symbol versions are missing; for glibc, the highest one stands for all.
fn versions(elf: &Elf, library: &Elf, name: &str) -> Option<String> {
    let wanted = elf.requires.get(name)?;
    let missing: Vec<&String> = wanted.iter().filter(|version| !library.defines.contains(*version)).collect();
    let highest = missing.iter().max_by_key(|version| glibc(version))?;
    let has = library.defines.iter().filter(|version| glibc(version).is_some()).max_by_key(|version| glibc(version));
    let has = has.map_or_else(|| "does not have it".to_owned(), |has| format!("goes up to `{has}`"));
    Some(format!("`{name}` must have `{highest}`, but the base's {has}"))
}
