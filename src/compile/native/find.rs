//! What packages need, and whether this machine has it.

use super::super::linker;
use super::super::settings::CargoSettings;
use super::here::{Here, Whereabouts};
use super::need::{NativeFile, NativeNeed};
use super::{probes, rules, tables};
use crate::app::Target;
use crate::apt::{self, Architecture, Sought};
use crate::workspace::{Compiled, Side};

/// What the packages of services need, in the order of its names.
pub fn needs(settings: &CargoSettings, graph: &[Compiled], target: &Target) -> Vec<NativeNeed> {
    let mut needs: Vec<NativeNeed> = Vec::new();
    for need in rules::needs(graph).into_iter().chain(tables::needs(graph)).chain(probes::needs(graph)) {
        match needs.iter_mut().find(|other| other.wanted == need.wanted && other.side == need.side) {
            Some(other) => {
                other.certain |= need.certain;
                other.packages.extend(need.packages);
                other.variables.extend(need.variables);
            }
            None => needs.push(need),
        }
    }
    if let Some(pkg_config) = pkg_config(&needs) {
        needs.push(pkg_config);
    }
    needs.sort_by(|one, other| (one.side, &one.wanted).cmp(&(other.side, &other.wanted)));
    let mut here = Here::new(settings, target);
    for need in &mut needs {
        need.packages.sort_unstable();
        need.packages.dedup();
        (need.name, need.machine) = name(need, target);
        match here.find(&need.wanted, need.side, &need.variables) {
            Whereabouts::At(place) => need.found = Some(place),
            // Whoever tells pkg-config or a crate where to look knows better.
            Whereabouts::Nowhere { is_told } => {
                need.debian = debian(&need.wanted, need.side, target);
                need.certain &= !is_told && apt::is_used() && !need.debian.is_empty();
            }
        }
    }
    needs
}

/// The program by which all libraries are found.
fn pkg_config(needs: &[NativeNeed]) -> Option<NativeNeed> {
    let libraries: Vec<&NativeNeed> = needs.iter().filter(|need| matches!(need.wanted, NativeFile::Library(_))).collect();
    let packages = libraries.iter().flat_map(|need| need.packages.clone()).collect();
    let certain = libraries.iter().any(|need| need.certain);
    let need = NativeNeed::new(NativeFile::Program("pkg-config".into()), Side::Host, packages, certain, &["PKG_CONFIG"]);
    (!libraries.is_empty()).then_some(need)
}

/// Its name, and the machine that it is for.
fn name(need: &NativeNeed, target: &Target) -> (String, Option<String>) {
    let machine = match need.side {
        Side::Target if !linker::is_native(&target.triple) => target.triple.as_str(),
        _ => "this machine",
    };
    let machine = Some(machine.to_owned());
    match &need.wanted {
        NativeFile::Library(name) => (format!("library `{name}`"), machine),
        NativeFile::Program(name) => (format!("program `{name}`"), None),
        NativeFile::Libclang => ("libclang".to_owned(), None),
        NativeFile::Cpp => ("C++ compiler".to_owned(), machine),
    }
}

/// The packages with it.
fn debian(wanted: &NativeFile, side: Side, target: &Target) -> Vec<String> {
    let is_foreign = side == Side::Target && !linker::is_native(&target.triple);
    let package = match wanted {
        NativeFile::Library(name) if is_foreign => {
            apt::usual_package_with(Sought::PkgConfig(name)).and_then(|package| apt::for_target(&package, &target.triple))
        }
        NativeFile::Library(name) => apt::usual_package_with(Sought::PkgConfig(name)),
        NativeFile::Program(name) => apt::usual_package_with(Sought::Program(name)),
        NativeFile::Libclang => Some("libclang-dev".to_owned()),
        NativeFile::Cpp if is_foreign => {
            let tools = Architecture::of_triple(&target.triple).map(|architecture| format!("{}-g++", architecture.tools));
            tools.and_then(|program| apt::usual_package_with(Sought::Program(&program)))
        }
        NativeFile::Cpp => Some("g++".to_owned()),
    };
    Vec::from_iter(package)
}
