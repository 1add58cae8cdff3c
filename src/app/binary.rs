//! One compiled file.

use std::path::PathBuf;

use super::Facts;
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
    /// Where it is in the image. Where that is not the package's `binary_path`, a link there leads to it.
    pub place: String,
    /// The libraries that its service packs, and where it tells the loader to search.
    pub beside: Facts,
}
