//! What the loader of an executable or library will ask for (System V ABI, chapters 4 and 5; GNU symbol versioning).

mod append;
#[cfg(test)]
mod compiled;
mod needed;
mod section;
mod split;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use object::elf;
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _};
use object::read::{ReadCache, ReadRef};
use serde::{Deserialize, Serialize};

pub use append::with_section;
pub use needed::{Needing, needed};
pub use section::{section, section_of};
pub use split::Symbols;

/// What an ELF file is and needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elf {
    /// The machine it is for.
    pub machine: Machine,
    /// `PT_INTERP`: the loader, for a dynamic executable.
    pub interpreter: Option<String>,
    /// `DT_NEEDED`, in order.
    pub needed: Vec<String>,
    /// `DT_RUNPATH`, else `DT_RPATH`, split at colons.
    pub runpath: Vec<String>,
    /// Of each needed library, the versions that symbols are bound to.
    pub requires: BTreeMap<String, BTreeSet<String>>,
    /// The versions that it defines, if it is a library.
    pub defines: BTreeSet<String>,
    /// `DT_SONAME`
    #[serde(default)]
    pub soname: Option<String>,
}

/// A machine, by the numbers that an ELF header has for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// `e_machine`.
    pub number: u16,
    /// 64 instead of 32 bit.
    pub wide: bool,
}

impl Machine {
    /// The name in Go's and OCI's words, or the number.
    pub fn name(self) -> String {
        match (elf::Machine(self.number), self.wide) {
            (elf::EM_AARCH64, true) => "arm64".into(),
            (elf::EM_X86_64, true) => "amd64".into(),
            (elf::EM_ARM, false) => "arm".into(),
            (elf::EM_RISCV, true) => "riscv64".into(),
            (elf::EM_386, false) => "386".into(),
            (elf::EM_PPC64, true) => "ppc64le".into(),
            (elf::EM_S390, true) => "s390x".into(),
            (elf::Machine(number), wide) => format!("machine {number} ({} bit)", if wide { 64 } else { 32 }),
        }
    }
}

impl Elf {
    /// Reads a file on disk; only the tables that matter are read.
    ///
    /// # Errors
    /// When it cannot be read or is not ELF, in words for the user.
    pub fn read(path: &Path) -> Result<Self> {
        let file = fs_err::File::open(path)?;
        Self::of(BufReader::new(file)).with_context(|| format!("failed to read `{}` as an ELF file", path.display()))
    }

    /// Reads from anything that can seek.
    pub fn of(file: impl Read + Seek) -> Result<Self> {
        let cache = ReadCache::new(file);
        Self::parse(&cache)
    }

    /// Reads a file in memory.
    pub fn parse<'a>(data: impl ReadRef<'a>) -> Result<Self> {
        match object::FileKind::parse(data) {
            Ok(object::FileKind::Elf64) => parse(elf::FileHeader64::<object::Endianness>::parse(data)?, data),
            Ok(object::FileKind::Elf32) => parse(elf::FileHeader32::<object::Endianness>::parse(data)?, data),
            _ => bail!("it is not an ELF file"),
        }
    }

    /// The loader's name, without its folder.
    pub fn loader(&self) -> Option<&str> {
        self.interpreter.as_deref().map(|path| path.rsplit('/').next().unwrap_or(path))
    }

    /// Whether it needs a loader.
    pub fn is_dynamic(&self) -> bool {
        self.interpreter.is_some() || !self.needed.is_empty()
    }
}

fn parse<'a, F: FileHeader, R: ReadRef<'a>>(header: &F, data: R) -> Result<Elf> {
    let endian = header.endian()?;
    let mut found = Elf { machine: Machine { number: header.e_machine(endian).0, wide: header.is_class_64() }, ..Elf::default() };
    for segment in header.program_headers(endian, data)? {
        if let Some(path) = segment.interpreter(endian, data)? {
            found.interpreter = Some(text(path));
        }
    }
    let sections = header.sections(endian, data)?;
    if let Some((table, link)) = sections.dynamic(endian, data)? {
        let strings = sections.strings(endian, data, link)?;
        let (mut rpath, mut runpath) = (None, None);
        for entry in table {
            let string =
                || entry.string(endian, strings).map(text).map_err(|_| anyhow!("a name in the dynamic section is damaged"));
            match entry.tag(endian) {
                elf::DT_NEEDED => found.needed.push(string()?),
                elf::DT_SONAME => found.soname = Some(string()?),
                elf::DT_RPATH => rpath = Some(string()?),
                elf::DT_RUNPATH => runpath = Some(string()?),
                _ => {}
            }
        }
        let path = runpath.or(rpath).unwrap_or_default();
        found.runpath = path.split(':').filter(|part| !part.is_empty()).map(str::to_owned).collect();
    }
    if let Some((mut needs, link)) = sections.gnu_verneed(endian, data)? {
        let strings = sections.strings(endian, data, link)?;
        while let Some((need, mut versions)) = needs.next()? {
            let file = need.file(endian, strings).map(text).map_err(|_| anyhow!("a needed version is damaged"))?;
            let set = found.requires.entry(file).or_default();
            while let Some(version) = versions.next()? {
                set.insert(version.name(endian, strings).map(text).map_err(|_| anyhow!("a needed version is damaged"))?);
            }
        }
    }
    if let Some((mut definitions, link)) = sections.gnu_verdef(endian, data)? {
        let strings = sections.strings(endian, data, link)?;
        while let Some((_, mut names)) = definitions.next()? {
            if let Some(name) = names.next()? {
                found.defines.insert(name.name(endian, strings).map(text).map_err(|_| anyhow!("a version is damaged"))?);
            }
        }
    }
    Ok(found)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `GLIBC_2.34` as numbers that compare; `None` for other versions, `GLIBC_PRIVATE` among them.
pub fn glibc(version: &str) -> Option<(u32, u32)> {
    let (major, minor) = version.strip_prefix("GLIBC_")?.split_once('.')?;
    let minor = minor.split('.').next()?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_very_program() {
        let program = Elf::read(&std::env::current_exe().expect("path")).expect("ELF");
        assert!(program.machine.wide && program.is_dynamic());
        assert!(program.needed.iter().any(|name| name.starts_with("libc.so")), "{:?}", program.needed);
        assert!(program.requires["libc.so.6"].iter().any(|v| glibc(v) >= Some((2, 2))));
    }

    #[test]
    fn what_is_no_elf_file() {
        assert!(Elf::of(std::io::Cursor::new(b"#!/bin/sh\n".to_vec())).is_err());
        assert!(Elf::of(std::io::Cursor::new(Vec::new())).is_err());
        assert_eq!((glibc("GLIBC_2.3.4"), glibc("GLIBC_PRIVATE"), glibc("GLIBCXX_3.4")), (Some((2, 3)), None, None));
    }
}
