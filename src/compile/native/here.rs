//! What of it this machine has.

use std::path::{Path, PathBuf};

use super::super::linker;
use super::super::settings::CargoSettings;
use super::need::NativeFile;
use crate::app::Target;
use crate::apt::Architecture;
use crate::workspace::Side;

/// Whether something is here.
pub enum Whereabouts {
    /// It is.
    At(String),
    /// It is not where it usually is.
    Nowhere {
        /// Whether variables tell build scripts to look elsewhere.
        is_told: bool,
    },
}

/// This machine, as build scripts for a target see it.
pub struct Here<'a> {
    settings: &'a CargoSettings,
    target: &'a Target,
    libclang: Option<Option<PathBuf>>,
}

impl<'a> Here<'a> {
    pub fn new(settings: &'a CargoSettings, target: &'a Target) -> Self {
        Self { settings, target, libclang: None }
    }

    /// Looks for it. Variables with these names tell build scripts where it is.
    pub fn find(&mut self, wanted: &NativeFile, side: Side, variables: &[String]) -> Whereabouts {
        if let Some((name, value)) = variables.iter().find_map(|name| Some((name, self.variable(name, side)?))) {
            return Whereabouts::At(format!("as `{name}={value}` says"));
        }
        let place = match wanted {
            NativeFile::Library(name) => self.library(name, side),
            NativeFile::Program(name) => linker::find(name),
            NativeFile::Libclang => self.libclang.get_or_insert_with(libclang).clone(),
            NativeFile::Cpp => self.cpp(side),
        };
        let is_told = || match wanted {
            NativeFile::Library(_) => {
                ["PATH", "LIBDIR", "SYSROOT_DIR"].iter().any(|end| self.variable(&format!("PKG_CONFIG_{end}"), side).is_some())
            }
            NativeFile::Cpp => ["CXX", "CXXFLAGS"].iter().any(|name| self.variable(name, side).is_some()),
            NativeFile::Program(_) | NativeFile::Libclang => false,
        };
        place.map_or_else(|| Whereabouts::Nowhere { is_told: is_told() }, |place| Whereabouts::At(place.display().to_string()))
    }

    /// A variable that build scripts read, in any of its spellings.
    fn variable(&self, name: &str, side: Side) -> Option<String> {
        let triple = match side {
            Side::Target => self.target.triple.clone(),
            Side::Host => format!("{}-unknown-linux-gnu", std::env::consts::ARCH),
        };
        let bare = triple.replace('-', "_");
        let prefix = if side == Side::Target { "TARGET" } else { "HOST" };
        let spellings = [
            format!("{name}_{triple}"),
            format!("{name}_{bare}"),
            format!("{}_{name}", bare.to_uppercase()),
            format!("{prefix}_{name}"),
            name.to_owned(),
        ];
        spellings.iter().find_map(|name| {
            let of_files = || match self.settings.get(&["env", name])? {
                toml::Value::String(value) => Some(value),
                other => Some(other.get("value").and_then(toml::Value::as_str).unwrap_or_default().to_owned()),
            };
            std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()).or_else(of_files)
        })
    }

    fn is_foreign(&self, side: Side) -> bool {
        side == Side::Target && !linker::is_native(&self.target.triple)
    }

    /// The `.pc` file.
    fn library(&self, name: &str, side: Side) -> Option<PathBuf> {
        let architecture = match side {
            Side::Target => Architecture::of_triple(&self.target.triple),
            Side::Host => Architecture::of_this_machine(),
        };
        let own = ["/usr/local/lib", "/usr/local/lib64", "/usr/lib", "/usr/lib64"].into_iter().filter(|_| !self.is_foreign(side));
        let multiarch = ["/usr/local/lib", "/usr/lib"];
        let multiarch = architecture.into_iter().flat_map(|it| multiarch.map(|folder| Path::new(folder).join(it.multiarch)));
        let shared = ["/usr/local/share", "/usr/share"].map(PathBuf::from);
        let usual = multiarch.chain(own.map(PathBuf::from)).chain(shared).map(|folder| folder.join("pkgconfig"));
        let told = ["PKG_CONFIG_PATH", "PKG_CONFIG_LIBDIR"].iter().filter_map(|name| self.variable(name, side));
        let told: Vec<PathBuf> = told.flat_map(|folders| std::env::split_paths(&folders).collect::<Vec<_>>()).collect();
        let file = format!("{name}.pc");
        told.into_iter().chain(usual).map(|folder| folder.join(&file)).find(|path| path.is_file())
    }

    fn cpp(&self, side: Side) -> Option<PathBuf> {
        if !self.is_foreign(side) {
            return ["c++", "g++", "clang++"].into_iter().find_map(linker::find);
        }
        let driver = linker::driver(&self.target.triple)?;
        let name = match driver.strip_suffix("gcc") {
            Some(prefix) => format!("{prefix}g++"),
            None => driver.replace("clang", "clang++"),
        };
        linker::find(&name)
    }
}

/// The library, in the folders where the crate `clang-sys` looks for it.
fn libclang() -> Option<PathBuf> {
    let of_llvm = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let of_llvm = of_llvm
        .map(|entry| entry.path())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("llvm-")));
    let mut folders: Vec<PathBuf> = of_llvm.map(|folder| folder.join("lib")).collect();
    folders.sort_unstable();
    folders.extend(Architecture::of_this_machine().map(|it| Path::new("/usr/lib").join(it.multiarch)));
    folders.extend(["/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64"].map(PathBuf::from));
    folders
        .iter()
        .find_map(|folder| {
            let entries = std::fs::read_dir(folder).ok()?.flatten();
            let is_it = |name: &str| {
                (name.starts_with("libclang.so") || name.starts_with("libclang-"))
                    && !name.starts_with("libclang-cpp")
                    && name.contains(".so")
            };
            entries.map(|entry| entry.path()).find(|path| path.file_name().is_some_and(|name| is_it(&name.to_string_lossy())))
        })
        // LLVM in a folder of its own tells where it is.
        .or_else(|| linker::find("llvm-config"))
}
