//! What dependencies need beside Cargo: libraries of the target, and programs of this machine, known before anything is compiled.

mod ahead;
mod here;
mod rules;
mod scripts;
mod tables;

use std::path::Path;

use super::linker;
use super::settings::CargoSettings;
use crate::app::{BuildPackage, Target};
use crate::apt::{self, Architecture, Sought};
use crate::workspace::{Compiled, Side};

pub use ahead::{note, of_plan};

/// Something that a build script looks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    /// The library that pkg-config knows by this name.
    Library(String),
    /// A program.
    Program(String),
    /// The library with which bindgen reads headers.
    Libclang,
    /// A compiler of C++.
    Cpp,
}

/// Something that build scripts look for, and what is known of it.
#[derive(Clone, Debug)]
pub struct NativeNeed {
    /// What they look for.
    wanted: Wanted,
    /// The machine that it is for.
    side: Side,
    /// The packages whose build scripts do, with versions.
    pub packages: Vec<String>,
    /// Whether they certainly do, and certainly fail without it.
    pub certain: bool,
    /// The variables by which users tell where it is.
    variables: Vec<String>,
    /// Where it is.
    pub found: Option<String>,
    /// The Debian packages with it, as apt takes them, if it is not here.
    pub debian: Vec<String>,
    /// What it is, for the user: `library`, with its name.
    name: String,
    /// The machine that it is for, if that needs to be said.
    machine: Option<String>,
}

/// What the packages of services need, in the order of its names.
pub fn needs(settings: &CargoSettings, graph: &[Compiled], target: &Target) -> Vec<NativeNeed> {
    let mut needs: Vec<NativeNeed> = Vec::new();
    for need in rules::needs(graph).into_iter().chain(tables::needs(graph)) {
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
    let mut here = here::Here::new(settings, target);
    for need in &mut needs {
        need.packages.sort_unstable();
        need.packages.dedup();
        (need.name, need.machine) = name(need, target);
        match here.find(&need.wanted, need.side, &need.variables) {
            here::Found::At(place) => need.found = Some(place),
            // Whoever tells pkg-config or a crate where to look knows better.
            here::Found::Nowhere { is_told } => {
                need.debian = debian(&need.wanted, need.side, target);
                need.certain &= !is_told && apt::is_used() && !need.debian.is_empty();
            }
        }
    }
    needs
}

/// The program by which all libraries are found.
fn pkg_config(needs: &[NativeNeed]) -> Option<NativeNeed> {
    let libraries: Vec<&NativeNeed> = needs.iter().filter(|need| matches!(need.wanted, Wanted::Library(_))).collect();
    let packages = libraries.iter().flat_map(|need| need.packages.clone()).collect();
    let certain = libraries.iter().any(|need| need.certain);
    let need = NativeNeed::new(Wanted::Program("pkg-config".into()), Side::Host, packages, certain, &["PKG_CONFIG"]);
    (!libraries.is_empty()).then_some(need)
}

impl NativeNeed {
    fn new(wanted: Wanted, side: Side, packages: Vec<String>, certain: bool, variables: &[&str]) -> Self {
        let variables = variables.iter().map(|&name| name.to_owned()).collect();
        Self { wanted, side, packages, certain, variables, found: None, debian: Vec::new(), name: String::new(), machine: None }
    }
}

/// Its name, and the machine that it is for.
fn name(need: &NativeNeed, target: &Target) -> (String, Option<String>) {
    let machine = match need.side {
        Side::Target if !linker::is_native(&target.triple) => target.triple.as_str(),
        _ => "this machine",
    };
    let machine = Some(machine.to_owned());
    match &need.wanted {
        Wanted::Library(name) => (format!("library `{name}`"), machine),
        Wanted::Program(name) => (format!("program `{name}`"), None),
        Wanted::Libclang => ("libclang".to_owned(), None),
        Wanted::Cpp => ("C++ compiler".to_owned(), machine),
    }
}

/// What needs are, of which the same is to be said: `library `a`, library `b` for this machine`.
pub fn shown(needs: &[&NativeNeed]) -> String {
    let names: Vec<&str> = needs.iter().map(|need| need.name.as_str()).collect();
    let machine = needs.first().and_then(|need| need.machine.as_ref());
    names.join(", ") + &machine.map(|machine| format!(" for {machine}")).unwrap_or_default()
}

/// Needs of which the same is to be said: all that a package lacks and one Debian package has.
pub fn groups(needs: &[NativeNeed]) -> Vec<Vec<&NativeNeed>> {
    let mut groups: Vec<Vec<&NativeNeed>> = Vec::new();
    for need in needs {
        let same = |group: &&mut Vec<&NativeNeed>| {
            let first = group[0];
            need.found.is_none()
                && first.found.is_none()
                && (&first.packages, first.certain, &first.debian, &first.machine)
                    == (&need.packages, need.certain, &need.debian, &need.machine)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(need),
            None => groups.push(vec![need]),
        }
    }
    groups
}

/// The packages with it.
fn debian(wanted: &Wanted, side: Side, target: &Target) -> Vec<String> {
    let is_foreign = side == Side::Target && !linker::is_native(&target.triple);
    let package = match wanted {
        Wanted::Library(name) if is_foreign => {
            apt::usual_package_with(Sought::PkgConfig(name)).and_then(|package| apt::for_target(&package, &target.triple))
        }
        Wanted::Library(name) => apt::usual_package_with(Sought::PkgConfig(name)),
        Wanted::Program(name) => apt::usual_package_with(Sought::Program(name)),
        Wanted::Libclang => Some("libclang-dev".to_owned()),
        Wanted::Cpp if is_foreign => {
            let tools = Architecture::of_triple(&target.triple).map(|architecture| format!("{}-g++", architecture.tools));
            tools.and_then(|program| apt::usual_package_with(Sought::Program(&program)))
        }
        Wanted::Cpp => Some("g++".to_owned()),
    };
    Vec::from_iter(package)
}

/// The packages of the app's table as apt takes them on this machine. A target that is no architecture of Debian's takes those of the
/// same processor.
pub fn listed(packages: &[BuildPackage], target: &Target) -> Vec<String> {
    let host = Architecture::of_this_machine().map_or("amd64", |architecture| architecture.name);
    listed_on(packages, target, host)
}

/// As [`listed`], on a machine of another architecture.
pub fn listed_on(packages: &[BuildPackage], target: &Target, host: &str) -> Vec<String> {
    let triple = target.triple.replace("musl", "gnu");
    let architecture = Architecture::of_triple(&triple).map_or(host, |architecture| architecture.name);
    packages.iter().map(|package| package.on(host, architecture)).collect()
}

/// Whether a build script names one of these words.
fn script_has(script: Option<&Path>, words: &[&str]) -> bool {
    script.is_some_and(|path| scripts::has(path, words))
}
