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
    /// Of Debian's C library, the version of its source package.
    pub glibc: Option<String>,
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
        self.found.insert(path.to_owned(), FoundExecutable { architecture, list, glibc: glibc(path, bytes), fault });
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

/// What Debian's C library says of itself when it is run: `GNU C Library (Debian GLIBC 2.36-9+deb12u4) stable release …`.
fn glibc(path: &str, bytes: &[u8]) -> Option<String> {
    const BANNER: &[u8] = b"GNU C Library (Debian GLIBC ";
    let name = path.rsplit('/').next()?;
    if !name.starts_with("libc.so.6") && !name.starts_with("libc-2.") {
        return None;
    }
    let rest = bytes.get(memchr::memmem::find(bytes, BANNER)? + BANNER.len()..)?;
    let version = std::str::from_utf8(rest.get(..memchr::memchr(b')', rest)?)?).ok()?;
    let is_version = version.len() < 64 && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+~-:".contains(&byte));
    is_version.then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_c_library_says_its_version() {
        let banner =
            |version: &str| format!("\0GNU C Library (Debian GLIBC {version}) stable release version 2.36.\n").into_bytes();
        let found = |path: &str, version: &str| glibc(path, &banner(version));
        assert_eq!(found("usr/lib/libc.so.6", "2.36-9+deb12u4").as_deref(), Some("2.36-9+deb12u4"));
        assert_eq!(found("lib/libc-2.31.so", "2.31-13").as_deref(), Some("2.31-13"));
        assert_eq!((found("srv/app", "2.36-8"), found("lib/libc.so.6", "2.36 \n8")), (None, None));
        assert_eq!(glibc("lib/libc.so.6", b"GNU C Library (Debian GLIBC 2.36"), None);
    }
}
