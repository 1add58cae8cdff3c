//! Compiled executables.

use std::borrow::Cow;
use std::path::PathBuf;

use super::{Facts, runpath};
use crate::digest::Digest;
use crate::elf::{Elf, Needing};

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
    /// Those of them that are the workspace's own, by path. The executable may load them by itself while it runs.
    pub loads: Vec<String>,
}

impl Binary {
    /// What a loader begins with: the executable, and each library that it may load by itself.
    pub fn roots(&self) -> impl Iterator<Item = Needing<'_>> {
        let own = Needing { name: self.service.clone(), elf: Cow::Borrowed(&self.elf), paths: runpath(&self.elf, &self.place) };
        let loaded = self.loads.iter().filter_map(|place| {
            let elf = self.beside.libraries.get(place.trim_start_matches('/'))?;
            let name = place.rsplit('/').next().unwrap_or(place).to_owned();
            let paths = runpath(elf, place).into_iter().chain(runpath(&self.elf, &self.place)).collect();
            Some(Needing { name, elf: Cow::Borrowed(elf), paths })
        });
        std::iter::once(own).chain(loaded)
    }
}
