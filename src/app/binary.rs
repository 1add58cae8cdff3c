//! One compiled file.

use std::path::PathBuf;

use crate::digest::Digest;
use crate::elf::Elf;

/// An executable on disk, looked at.
#[derive(Clone, Debug)]
pub struct Binary {
    /// The name of the service it is for.
    pub service: String,
    /// Where it lies.
    pub path: PathBuf,
    /// Its sum.
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    /// What it is and needs.
    pub elf: Elf,
}
