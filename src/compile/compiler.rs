//! What a compiler says about itself.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::fs::Stamp;
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
    /// The toolchain that rustup was told to use.
    toolchain: Option<String>,
    /// Cargo's file then.
    stamp: Option<Stamp>,
    /// Its version, with the commit and the host.
    pub version: String,
    /// Where its libraries are.
    sysroot: PathBuf,
}

impl Compiler {
    /// Asks a compiler, or remembers what it said as long as Cargo knows the same one; to start it takes longer than a build that
    /// finds nothing to do. `None` if it does not run.
    pub fn find(rustc: &Path, target_dir: &Path) -> Option<Self> {
        let stamp = Stamp::read(&target_dir.join(OF_CARGO)).ok();
        let toolchain = std::env::var("RUSTUP_TOOLCHAIN").ok();
        let remembered = stamp.and_then(|_| serde_json::from_slice(&std::fs::read(target_dir.join(MEMORY)).ok()?).ok());
        let is_same = |it: &Self| it.asked == rustc && it.toolchain == toolchain && it.stamp == stamp;
        if let Some(remembered) = remembered.filter(is_same) {
            return Some(remembered);
        }
        let said = |argument: &[&str]| Some(capture(Command::new(rustc).args(argument)).ok()?.trim().to_owned());
        let (version, sysroot) = (said(&["-vV"])?, PathBuf::from(said(&["--print", "sysroot"])?));
        Some(Self { asked: rustc.to_owned(), toolchain, stamp, version, sysroot })
    }

    /// Keeps it for the next time.
    ///
    /// # Errors
    /// When the target folder cannot be written.
    pub fn remember(&self, target_dir: &Path) -> Result<()> {
        match self.stamp {
            Some(_) => crate::fs::write_if_changed(&target_dir.join(MEMORY), &serde_json::to_vec(self)?).map(drop),
            None => Ok(()),
        }
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
