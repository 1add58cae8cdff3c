//! Variables for build scripts that compile C code, or look for C libraries, for the target. As with the linker, each is set only
//! where the caller has set none, and has the same value on every build.

use std::path::Path;
use std::process::Command;

use serde::Serialize;

use super::linker;
use super::settings::CargoSettings;
use super::toolchain_file::ToolchainFile;
use crate::apt::{self, Architecture};
use crate::plan::{Builder, Plan};
use crate::process::capture;

/// A variable of Cargo's environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Variable {
    /// Its name, as the crates that read it spell it: `CC_aarch64_unknown_linux_gnu`.
    pub name: String,
    /// Its value.
    pub value: String,
    /// What it is set for.
    pub why: &'static str,
}

/// What build scripts are told of the target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForBuildScripts {
    /// The variables, by name.
    pub variables: Vec<Variable>,
    /// The file that one of them names.
    pub toolchain_file: Option<ToolchainFile>,
}

impl ForBuildScripts {
    /// What commands are told that run before Cargo: the same, the target as Cargo names it to build scripts, and the linker that a Cargo
    /// of theirs needs.
    pub fn for_commands(&self, settings: &CargoSettings, plan: &Plan) -> Vec<(String, String)> {
        let triple = &plan.target.triple;
        let own = self.variables.iter().map(|variable| (variable.name.clone(), variable.value.clone()));
        let linker = linker::own_choice(settings, triple).filter(|_| plan.builder == Builder::Cargo);
        let name = format!("CARGO_TARGET_{}_LINKER", triple.to_uppercase().replace('-', "_"));
        own.chain([("TARGET".to_owned(), triple.clone())]).chain(linker.map(|linker| (name, linker))).collect()
    }
}

/// What they are told; nothing for this machine, and nothing for builders that bring their own tools.
pub fn of(settings: &CargoSettings, triple: &str, builder: Builder, target_dir: &Path) -> ForBuildScripts {
    if builder != Builder::Cargo || linker::is_native(triple) {
        return ForBuildScripts::default();
    }
    let of_target = OfTarget { settings, triple };
    let mut variables = Vec::new();
    let mut add = |name: &str, value: Option<String>, why| {
        if let Some(value) = value.filter(|_| !of_target.is_set(name)) {
            variables.push(Variable { name: format!("{name}_{}", triple.replace('-', "_")), value, why });
        }
    };
    let (driver, folders) = (linker::driver(triple), of_target.pkg_config());
    let mut toolchain_file = None;
    if let Some(driver) = &driver {
        let cpp = sibling(driver, "g++", "clang++");
        // With such a file, the crate `cmake` leaves the choice of compilers to it.
        let may_choose = ["CMAKE_TOOLCHAIN_FILE", "CC", "CXX"].iter().all(|name| !of_target.is_set(name));
        let cmake = folders.as_ref().filter(|_| may_choose && linker::find("cmake").is_some());
        toolchain_file = cmake.map(|folders| ToolchainFile::new(target_dir, triple, driver, cpp.as_deref(), folders));
        add("CC", Some(driver.clone()), "compiles C for the target");
        add("CXX", cpp, "compiles C++ for the target");
        add("AR", sibling(driver, "ar", "llvm-ar"), "archives what they compile");
        add("BINDGEN_EXTRA_CLANG_ARGS", headers(triple, driver), "shows bindgen the target's headers");
    }
    let path = toolchain_file.as_ref().map(|file| file.path.to_string_lossy().into_owned());
    add("CMAKE_TOOLCHAIN_FILE", path, "shows CMake the target's libraries");
    add("PKG_CONFIG_ALLOW_CROSS", folders.as_ref().map(|_| "1".into()), "lets pkg-config look for the target's libraries");
    add("PKG_CONFIG_LIBDIR", folders, "is where they are");
    ForBuildScripts { variables, toolchain_file }
}

/// The settings for a target.
#[derive(Clone, Copy)]
struct OfTarget<'a> {
    settings: &'a CargoSettings,
    triple: &'a str,
}

impl OfTarget<'_> {
    /// Whether the caller has set a variable in any of the spellings that cc, cmake, pkg-config and bindgen read.
    fn is_set(self, name: &str) -> bool {
        let triple = self.triple;
        let spellings =
            [format!("{name}_{triple}"), format!("{name}_{}", triple.replace('-', "_")), format!("TARGET_{name}"), name.into()];
        spellings.iter().any(|name| std::env::var_os(name).is_some() || self.settings.get(&["env", name]).is_some())
    }

    /// Where the `.pc` files of the target's packages are, if the caller has not told pkg-config where to look.
    fn pkg_config(self) -> Option<String> {
        let own = ["PKG_CONFIG", "PKG_CONFIG_PATH", "PKG_CONFIG_LIBDIR", "PKG_CONFIG_SYSROOT_DIR"];
        if own.into_iter().any(|name| self.is_set(name)) {
            return None;
        }
        let Architecture { multiarch, tools, .. } = Architecture::of_triple(self.triple)?;
        // Another toolchain has libraries of its own.
        let linker = linker::used(self.settings, self.triple);
        if !Path::new(&linker).file_name()?.to_str()?.starts_with(tools) {
            return None;
        }
        // Debian's packages put them there. Elsewhere, the folder is someone's choice.
        let can_hold = apt::is_used() || Path::new("/usr/lib").join(multiarch).join("pkgconfig").is_dir();
        let folders =
            ["/usr/local/lib/@/pkgconfig", "/usr/local/share/pkgconfig", "/usr/lib/@/pkgconfig", "/usr/share/pkgconfig"];
        can_hold.then(|| folders.join(":").replace('@', multiarch))
    }
}

/// The tool of the same toolchain as a compiler driver, if it is installed.
fn sibling(driver: &str, of_gcc: &str, of_clang: &str) -> Option<String> {
    let name = match driver.strip_suffix("gcc") {
        Some(prefix) => format!("{prefix}{of_gcc}"),
        None if of_clang.starts_with("clang") => driver.replace("-clang", &format!("-{of_clang}")),
        None => of_clang.to_owned(),
    };
    linker::find(&name).map(|_| name)
}

/// Where clang finds the C library's headers for a target; it knows Debian's own places, but not every clang is Debian's.
fn headers(triple: &str, driver: &str) -> Option<String> {
    let places = [
        Architecture::of_triple(triple).map(|architecture| format!("/usr/{}/include", architecture.tools)),
        driver.rsplit_once('-').map(|(prefix, _)| format!("/usr/include/{prefix}")),
    ];
    if let Some(place) = places.into_iter().flatten().find(|place| Path::new(place).join("stdio.h").is_file()) {
        return Some(format!("-isystem {place}"));
    }
    let sysroot = capture(Command::new(driver).arg("-print-sysroot")).ok()?;
    Some(sysroot.trim()).filter(|sysroot| sysroot.len() > 1).map(|sysroot| format!("--sysroot={sysroot}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_set_for_this_machine_or_for_other_builders() {
        let settings = CargoSettings::default();
        let own = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        assert_eq!(of(&settings, &own, Builder::Cargo, Path::new("target")), ForBuildScripts::default());
        assert_eq!(of(&settings, "riscv64gc-unknown-linux-gnu", Builder::Cross, Path::new("target")), ForBuildScripts::default());
    }
}
