//! Adds a section to an executable, behind all that is there.

use anyhow::{Context as _, Result, bail, ensure};
use object::read::elf::{FileHeader, SectionHeader as _};
use object::write::elf::{self as write, Encoder, FileHeaderLayout};
use object::{Endianness, elf};

/// The file with one more section, which is not loaded. All that is loaded stays byte for byte where it is; the table of sections
/// and their names move to the end (System V ABI, chapter 4).
///
/// # Errors
/// When it is not an ELF file, has no table of sections, or has bytes behind its sections, which the program may look for at the
/// end of its file.
pub fn with_section(data: &[u8], name: &str, content: &[u8]) -> Result<Vec<u8>> {
    match object::FileKind::parse(data)? {
        object::FileKind::Elf64 => Sections::read(elf::FileHeader64::<Endianness>::parse(data)?, data)?.with(name, content),
        object::FileKind::Elf32 => Sections::read(elf::FileHeader32::<Endianness>::parse(data)?, data)?.with(name, content),
        _ => bail!("it is not an ELF file"),
    }
}

/// A file whose table of sections is written anew.
struct Sections<'a> {
    data: &'a [u8],
    encoder: Encoder<Endianness>,
    header: write::FileHeader,
    layout: FileHeaderLayout,
    sections: Vec<write::SectionHeader>,
    /// Where in `sections` that of their names is.
    names_at: usize,
    names: &'a [u8],
    /// How much of the file stays.
    kept: u64,
}

impl<'a> Sections<'a> {
    fn read<F: FileHeader<Endian = Endianness>>(header: &F, data: &'a [u8]) -> Result<Self> {
        let endian = header.endian()?;
        let encoder = Encoder::new(endian, header.is_class_64(), header.e_machine(endian));
        let layout = FileHeaderLayout::from_raw(endian, header, data)?;
        let table = header.sections(endian, data)?;
        let names_at = usize::try_from(layout.shstrtab_index)?;
        ensure!(!table.is_empty() && names_at > 0, "it has no table of sections");
        let (mut sections, mut end, mut names) = (Vec::new(), 0, None);
        for (at, section) in table.iter().enumerate() {
            let of = write::SectionHeader::from_raw(endian, section);
            if at == names_at {
                names = Some(section.data(endian, data)?);
            } else if let Some((offset, size)) = section.file_range(endian) {
                end = end.max(offset.checked_add(size).context("a section is damaged")?);
            }
            sections.push(of);
        }
        for segment in header.program_headers(endian, data)? {
            let of = write::ProgramHeader::from_raw(endian, segment);
            end = end.max(of.p_offset.checked_add(of.p_filesz).context("a segment is damaged")?);
        }
        let names = names.context("its sections have no names")?;
        let names_from = sections.get(names_at).map(|section| section.sh_offset).unwrap_or_default();
        let names_to = names_from + names.len() as u64;
        let table_to = layout.e_shoff + sections.len() as u64 * encoder.section_header_size();
        ensure!(data.len() as u64 == end.max(names_to).max(table_to), "there are bytes behind its sections");
        // What is written anew is left out if it stands at the end.
        let kept = match layout.e_shoff >= end.max(names_to) {
            true if names_from >= end => end,
            true => end.max(names_to),
            false => data.len() as u64,
        };
        ensure!(kept >= encoder.file_header_size(), "its header is damaged");
        Ok(Self { data, encoder, header: write::FileHeader::from_raw(endian, header), layout, sections, names_at, names, kept })
    }

    fn with(self, name: &str, content: &[u8]) -> Result<Vec<u8>> {
        let Self { data, encoder, header, layout, mut sections, names_at, names, kept } = self;
        let sh_name = names.len().try_into().context("the names of its sections are too long")?;
        let names = [names, name.as_bytes(), &[0]].concat();
        let (size, names_size) = (content.len() as u64, names.len() as u64);
        if let Some(of_names) = sections.get_mut(names_at) {
            (of_names.sh_offset, of_names.sh_size) = (kept + size, names_size);
        }
        sections.push(write::SectionHeader {
            sh_name,
            sh_type: elf::SHT_PROGBITS,
            sh_offset: kept,
            sh_size: size,
            sh_addralign: 1,
            ..write::SectionHeader::default()
        });
        let e_shoff = (kept + size + names_size).next_multiple_of(encoder.address_size());
        let layout = FileHeaderLayout { e_shoff, section_num: layout.section_num + 1, ..layout };
        let mut out = Vec::with_capacity(data.len() + content.len() + 1024);
        encoder.file_header(&mut out, &header, &layout)?;
        out.extend_from_slice(data.get(out.len()..usize::try_from(kept)?).context("it is cut off")?);
        out.extend_from_slice(content);
        out.extend_from_slice(&names);
        out.resize(usize::try_from(e_shoff)?, 0);
        encoder.null_section_header(&mut out, &layout);
        for section in sections.iter().skip(1) {
            encoder.section_header(&mut out, section);
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::elf::compiled::{COMPILERS, said};
    use crate::elf::section;

    /// Of 32 bits and of 64, static and dynamic, with symbols and without: it runs, and GNU's tools see one section more.
    #[test]
    fn an_executable_with_one_more_section_runs() {
        let folder = tempfile::tempdir().expect("folder");
        let at = |name: &str| folder.path().join(name);
        let options = ["-g", "-s", "-static", "-Wl,-z,norelro"];
        for (compiler, linking) in COMPILERS.iter().flat_map(|compiler| options.map(|linking| (compiler, linking))) {
            if !compiler.compile(&[linking], &at("whole")) {
                continue;
            }
            let whole = std::fs::read(at("whole")).expect("read");
            let more = with_section(&whole, ".dep-v0", b"content").expect("a section");
            assert!(more.len() < whole.len() + 200, "{compiler:?} {linking}: the old table is replaced");
            assert_eq!(with_section(&whole, ".dep-v0", b"content").expect("a section"), more);
            assert_eq!(section(&more[..], ".dep-v0").expect("ELF"), Some(&b"content"[..]));
            assert_eq!(compiler.run(&more, &at("whole"), &at("more")), "ran\n", "{compiler:?} {linking}");
            let readelf = |name: &str, option: &str| {
                said(Command::new("readelf").args([option, "--wide"]).arg(name).current_dir(folder.path()))
            };
            readelf("more", "--all");
            let sections = |name: &str| {
                let text = readelf(name, "--sections");
                let line =
                    |line: &str| Some(line.trim().strip_prefix('[')?.split_once("] ")?.1.split_whitespace().next()?.to_owned());
                text.lines().filter_map(line).collect::<Vec<_>>()
            };
            assert_eq!(sections("more"), [sections("whole"), vec![".dep-v0".to_owned()]].concat(), "{compiler:?} {linking}");
            for option in ["--segments", "--symbols", "--dynamic", "--relocs", "--notes"] {
                assert_eq!(readelf("more", option), readelf("whole", option), "{compiler:?} {linking}");
            }
            assert!(with_section(&[&whole[..], b"payload"].concat(), ".dep-v0", b"content").is_err());
        }
    }

    #[test]
    fn what_gets_no_section() {
        assert!(with_section(b"#!/bin/sh\n", ".dep-v0", b"").is_err() && with_section(b"", ".dep-v0", b"").is_err());
        let own = std::fs::read(std::env::current_exe().expect("path")).expect("read");
        for length in [64, 1000, own.len() / 2, own.len() - 1] {
            assert!(with_section(&own[..length], ".dep-v0", b"").is_err(), "{length}");
        }
    }
}
