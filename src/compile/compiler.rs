//! What a compiler says about itself.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::linker;
use crate::fs::{Stamp, write_if_changed};
use crate::process::capture;

/// What Cargo knows about the compiler, in the target folder. Cargo writes it anew when it finds another one.
const OF_CARGO: &str = ".rustc_info.json";

/// What is remembered beside it.
const MEMORY: &str = ".appbundle_rustc_info.json";

/// A compiler.
#[derive(Debug, Serialize, Deserialize)]
pub struct Compiler {
    /// How it was asked for.
    asked: PathBuf,
    /// The toolchain that rustup was told to use. A command that rustup's Cargo starts is always told.
    toolchain: Option<String>,
    /// Its own file then, and Cargo's.
    stamps: [Option<Stamp>; 2],
    /// Its version, with the commit and the host.
    pub version: String,
    /// Where its libraries are.
    sysroot: PathBuf,
}

impl Compiler {
    /// Asks a compiler, or remembers what it said if it is certainly the same one: to start it would take longer than all else of a
    /// build that finds nothing to do. `None` if it does not run.
    pub fn find(rustc: &Path, target_dir: &Path) -> Option<Self> {
        let toolchain = std::env::var("RUSTUP_TOOLCHAIN").ok();
        let remembered = std::fs::read(target_dir.join(MEMORY)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let is_same = |it: &Self| {
            let [own, of_cargo] = it.stamps_now(target_dir);
            let is_itself = || linker::find(&rustc.to_string_lossy()).is_some_and(|path| path == it.program());
            let is_certain = toolchain.is_some() || is_itself() || (of_cargo.is_some() && of_cargo == it.stamps[1]);
            it.asked == rustc && it.toolchain == toolchain && own.is_some() && own == it.stamps[0] && is_certain
        };
        if let Some(remembered) = remembered.filter(is_same) {
            return Some(remembered);
        }
        let said = |argument: &[&str]| Some(capture(Command::new(rustc).args(argument)).ok()?.trim().to_owned());
        let (version, sysroot) = (said(&["-vV"])?, PathBuf::from(said(&["--print", "sysroot"])?));
        let new = Self { asked: rustc.to_owned(), toolchain, stamps: [None; 2], version, sysroot };
        Some(Self { stamps: new.stamps_now(target_dir), ..new })
    }

    /// Keeps it for the next time. Where that is not possible, it is asked again.
    pub fn remember(&self, target_dir: &Path) {
        if let Ok(bytes) = serde_json::to_vec(self) {
            let _ = write_if_changed(&target_dir.join(MEMORY), &bytes);
        }
    }

    fn stamps_now(&self, target_dir: &Path) -> [Option<Stamp>; 2] {
        [self.program(), target_dir.join(OF_CARGO)].map(|path| Stamp::read(&path).ok())
    }

    /// The program, without rustup before it.
    pub fn program(&self) -> PathBuf {
        Some(self.sysroot.join("bin/rustc")).filter(|path| path.is_file()).unwrap_or_else(|| self.asked.clone())
    }

    /// Whether it has the library `core` for a triple.
    pub fn has_core(&self, triple: &str) -> bool {
        let mut entries = std::fs::read_dir(self.of_triple(triple).join("lib")).into_iter().flatten().flatten();
        entries.any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
    }

    /// The linker that rustup's toolchains bring along.
    pub fn own_linker(&self) -> Option<PathBuf> {
        let host = self.version.lines().find_map(|line| line.strip_prefix("host: "))?;
        Some(self.of_triple(host).join("bin/rust-lld")).filter(|path| path.is_file())
    }

    fn of_triple(&self, triple: &str) -> PathBuf {
        self.sysroot.join("lib/rustlib").join(triple)
    }
}
