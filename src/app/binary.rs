//! Compiled executables.

use std::path::PathBuf;

use super::Facts;
use crate::digest::Digest;
use crate::elf::Elf;

/// An executable on disk, with what was read from it.
#[derive(Clone, Debug)]
pub struct Binary {
    /// The name of the service it is for.
    pub service: String,
    /// Path on this machine.
    pub path: PathBuf,
    /// Digest.
    pub digest: Digest,
    /// Size in bytes.
    pub size: u64,
    /// What its ELF headers say.
    pub elf: Elf,
    /// Path in the image. If it differs from the package's `binary_path`, a symbolic link at `binary_path` points to it.
    pub place: String,
    /// The libraries that its service packs, and the loader's search paths.
    pub beside: Facts,
}
