//! The executables of a layer, and the lists of crates in them, which are not read here.

use std::collections::BTreeMap;

use crate::elf::{self, Elf};

/// The section in which cargo-auditable lists crates.
const LIST: &str = ".dep-v0";

/// Bytes of an executable that is looked into.
const LARGEST: u64 = 256 << 20;

/// Bytes of all lists of a layer; one of a thousand crates has 30 KiB.
const MOST: usize = 64 << 20;

/// Executables of a layer that are remembered.
const MOST_EXECUTABLES: usize = 20_000;

/// An ELF file that may be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundExecutable {
    /// The processor that it is for, in OCI's words.
    pub architecture: Option<String>,
    /// The content of the section with its crates.
    pub list: Option<Vec<u8>>,
    /// Why it could not be read.
    pub fault: Option<String>,
}

/// Executables by path.
#[derive(Debug, Default)]
pub struct FoundExecutables {
    found: BTreeMap<String, FoundExecutable>,
    bytes: usize,
}

impl FoundExecutables {
    /// Whether a file is worth reading: small enough, and marked as something to run.
    pub fn wants(&self, size: u64, mode: u32) -> bool {
        (4..=LARGEST).contains(&size) && mode & 0o111 != 0 && self.found.len() < MOST_EXECUTABLES
    }

    /// Takes in a file; those that are not ELF are passed over.
    pub fn add(&mut self, path: &str, bytes: &[u8]) {
        let elf = Elf::parse(bytes);
        let section = elf.as_ref().map_or(Ok(None), |_| elf::section(bytes, LIST));
        let fault = elf.as_ref().err().or(section.as_ref().err()).map(|error| format!("{error:#}"));
        let list = section.ok().flatten().filter(|list| self.bytes + list.len() <= MOST).map(<[u8]>::to_vec);
        self.bytes += list.as_ref().map_or(0, Vec::len);
        let architecture = elf.ok().map(|elf| elf.machine.name());
        self.found.insert(path.to_owned(), FoundExecutable { architecture, list, fault });
    }

    /// Bytes of their lists.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.found.clear();
    }

    /// All of them, by path.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &FoundExecutable)> {
        self.found.iter()
    }
}
