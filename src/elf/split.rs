//! Splits an executable in two: what runs, and what only a debugger reads (System V ABI, chapter 4; GDB's manual, "Separate
//! debug files").

use std::io::Write;

use anyhow::{Context as _, Result, ensure};
use object::read::elf::{FileHeader, SectionHeader as _};
use object::write::WritableBuffer;
use object::write::elf::{self as write, Encoder, FileHeaderLayout};
use object::{Endianness, elf};

/// An executable with symbols, taken apart.
#[derive(Debug)]
pub struct Symbols<'a> {
    data: &'a [u8],
    encoder: Encoder<Endianness>,
    header: write::FileHeader,
    segments: Vec<write::ProgramHeader>,
    sections: Vec<Section<'a>>,
    /// `NT_GNU_BUILD_ID`, by which a debugger finds one part for the other.
    pub build_id: Option<String>,
}

#[derive(Debug)]
struct Section<'a> {
    name: &'a [u8],
    header: write::SectionHeader,
    data: &'a [u8],
}

impl Section<'_> {
    fn is_loaded(&self) -> bool {
        self.header.sh_flags.contains(elf::SHF_ALLOC)
    }

    fn is_null(&self) -> bool {
        self.header.sh_type == elf::SHT_NULL
    }

    /// Whether only debuggers read it.
    fn is_for_debuggers(&self) -> bool {
        let by_type =
            [elf::SHT_SYMTAB, elf::SHT_STRTAB, elf::SHT_SYMTAB_SHNDX, elf::SHT_REL, elf::SHT_RELA].contains(&self.header.sh_type);
        let names: [&[u8]; 4] = [b".debug_", b".zdebug_", b".gdb_index", b".stab"];
        !self.is_loaded() && (by_type || names.iter().any(|name| self.name.starts_with(name)))
    }
}

/// Which part of an executable is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Running,
    Debugging,
}

impl<'a> Symbols<'a> {
    /// Looks for what only debuggers read; `None` if there is nothing of it.
    ///
    /// # Errors
    /// When it is no executable, or one that is laid out as no linker does it.
    pub fn of(data: &'a [u8]) -> Result<Option<Self>> {
        let read = match object::FileKind::parse(data)? {
            object::FileKind::Elf64 => Self::read(elf::FileHeader64::<Endianness>::parse(data)?, data),
            object::FileKind::Elf32 => Self::read(elf::FileHeader32::<Endianness>::parse(data)?, data),
            _ => anyhow::bail!("it is not an ELF file"),
        }?;
        Ok(read.has_symbols()?.then_some(read))
    }

    fn read<F: FileHeader<Endian = Endianness>>(header: &F, data: &'a [u8]) -> Result<Self> {
        let endian = header.endian()?;
        let encoder = Encoder::new(endian, header.is_class_64(), header.e_machine(endian));
        ensure!(header.e_phoff(endian).into() == encoder.file_header_size(), "its program headers do not follow the header");
        let table = header.sections(endian, data)?;
        let (mut sections, mut build_id) = (Vec::new(), None);
        for section in table.iter() {
            let name = table.section_name(endian, section)?;
            sections.push(Section {
                name,
                header: write::SectionHeader::from_raw(endian, section),
                data: section.data(endian, data)?,
            });
            let Some(mut notes) = section.notes(endian, data)? else { continue };
            while let Some(note) = notes.next()? {
                if note.name() == elf::ELF_NOTE_GNU && note.n_type(endian) == elf::NT_GNU_BUILD_ID {
                    build_id = Some(note.desc().iter().map(|byte| format!("{byte:02x}")).collect());
                }
            }
        }
        let segments = header.program_headers(endian, data)?;
        Ok(Self {
            data,
            encoder,
            header: write::FileHeader::from_raw(endian, header),
            segments: segments.iter().map(|segment| write::ProgramHeader::from_raw(endian, segment)).collect(),
            sections,
            build_id,
        })
    }

    fn has_symbols(&self) -> Result<bool> {
        let Some(first) = self.sections.iter().position(Section::is_for_debuggers) else { return Ok(false) };
        // Numbers of sections are in the dynamic symbols, too, and offsets in the segments: both have to stay as they are.
        let last_loaded = self.sections.iter().rposition(Section::is_loaded);
        let behind =
            |section: &Section<'_>| section.is_loaded() || section.is_null() || section.header.sh_offset >= self.loaded();
        ensure!(last_loaded < Some(first) && self.sections.iter().all(behind), "its symbols are among what is loaded");
        Ok(self.sections.iter().any(|section| section.is_for_debuggers() && !self.is_section_names(section)))
    }

    fn is_section_names(&self, section: &Section<'_>) -> bool {
        section.name == b".shstrtab"
    }

    /// Where what is loaded ends in the file.
    fn loaded(&self) -> u64 {
        let loads = self.segments.iter().filter(|segment| segment.p_type == elf::PT_LOAD);
        loads.map(|segment| segment.p_offset + segment.p_filesz).max().unwrap_or_default().max(self.headers())
    }

    /// Where the last note that is loaded ends.
    fn notes(&self) -> u64 {
        let notes = self.sections.iter().filter(|section| section.is_loaded() && section.header.sh_type == elf::SHT_NOTE);
        notes.map(|note| note.header.sh_offset + note.header.sh_size).max().unwrap_or_default().max(self.headers())
    }

    fn headers(&self) -> u64 {
        self.encoder.file_header_size() + self.segments.len() as u64 * self.encoder.program_header_size()
    }

    /// Writes what runs: what is loaded stays byte for byte where it is.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_stripped(&self, to: &mut dyn Write) -> Result<()> {
        self.write(Part::Running, to)
    }

    /// Writes what debuggers read. Of what is loaded, only the addresses are there, and notes such as the build id.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_debug(&self, to: &mut dyn Write) -> Result<()> {
        self.write(Part::Debugging, to)
    }

    fn write(&self, part: Part, to: &mut dyn Write) -> Result<()> {
        let encoder = self.encoder;
        let headers = self.headers();
        // What stands at the start of the file stays there: all that is loaded, or what comes before the end of the notes.
        let start = if part == Part::Running { self.loaded() } else { self.notes() };
        let kept: Vec<(usize, &Section<'_>)> = self.sections.iter().enumerate().filter(|(_, of)| self.keeps(part, of)).collect();
        let number = |old: u32| kept.iter().position(|(at, _)| *at == old as usize).unwrap_or_default();
        let mut names = vec![0];
        let mut end = start;
        // The header, and what is written of the section behind what is loaded.
        let mut new: Vec<(write::SectionHeader, &[u8])> = Vec::new();
        for (_, section) in &kept {
            let mut header = section.header.clone();
            header.sh_name = name_in(&mut names, section.name)?;
            header.sh_link = number(header.sh_link).try_into()?;
            let refers = matches!(header.sh_type, elf::SHT_REL | elf::SHT_RELA) || header.sh_flags.contains(elf::SHF_INFO_LINK);
            if refers {
                header.sh_info = number(header.sh_info).try_into()?;
            }
            let mut data = section.data;
            match part {
                _ if section.is_null() => data = &[],
                Part::Debugging if section.is_loaded() && header.sh_type != elf::SHT_NOTE => {
                    (header.sh_type, header.sh_offset, data) = (elf::SHT_NOBITS, end, &[]);
                }
                _ if section.is_loaded() => data = &[],
                _ => {
                    header.sh_offset = end.next_multiple_of(header.sh_addralign.max(1));
                    end = header.sh_offset + data.len() as u64;
                }
            }
            new.push((header, data));
        }
        let shstrtab_index: u32 = new.len().try_into()?;
        let name = name_in(&mut names, b".shstrtab")?;
        let size = names.len() as u64;
        let of_names = write::SectionHeader { sh_name: name, sh_offset: end, sh_size: size, ..encoder.strtab_section_header() };
        new.push((of_names, &names));
        let table = (end + size).next_multiple_of(encoder.address_size());
        let layout = FileHeaderLayout {
            e_phoff: encoder.file_header_size(),
            segment_num: self.segments.len().try_into()?,
            e_shoff: table,
            section_num: shstrtab_index + 1,
            shstrtab_index,
        };
        let mut out = Out { to, at: 0, result: Ok(()) };
        encoder.file_header(&mut out, &self.header, &layout)?;
        for segment in &self.segments {
            encoder.program_header(&mut out, &Self::clipped(segment, start));
        }
        out.write_bytes(self.data.get(usize::try_from(headers)?..usize::try_from(start)?).context("it is cut off")?);
        for (header, data) in new.iter().filter(|(_, data)| !data.is_empty()) {
            out.pad_to(header.sh_offset);
            out.write_bytes(data);
        }
        out.pad_to(table);
        encoder.null_section_header(&mut out, &layout);
        for (header, _) in new.iter().skip(1) {
            encoder.section_header(&mut out, header);
        }
        Ok(out.result?)
    }

    fn keeps(&self, part: Part, section: &Section<'_>) -> bool {
        // The table of names is written anew.
        let is_names = !section.is_loaded() && self.is_section_names(section);
        !is_names && (part == Part::Debugging || !section.is_for_debuggers())
    }

    /// A segment with what is left of its contents if only this much of the file's start is.
    fn clipped(segment: &write::ProgramHeader, end: u64) -> write::ProgramHeader {
        let p_offset = segment.p_offset.min(end);
        let p_filesz = (segment.p_offset + segment.p_filesz).min(end) - p_offset;
        write::ProgramHeader { p_offset, p_filesz, ..segment.clone() }
    }
}

/// Where a table of names has this one, which is added unless another ends so.
fn name_in(names: &mut Vec<u8>, name: &[u8]) -> Result<u32> {
    let ended = [name, &[0]].concat();
    let at = names.windows(ended.len()).position(|there| there == ended).unwrap_or(names.len());
    if at == names.len() {
        names.extend(ended);
    }
    at.try_into().context("the names of its sections are too long")
}

/// A buffer that writes through and remembers the first error.
struct Out<'a> {
    to: &'a mut dyn Write,
    at: u64,
    result: std::io::Result<()>,
}

impl Out<'_> {
    fn pad_to(&mut self, offset: u64) {
        let count = usize::try_from(offset.saturating_sub(self.at)).unwrap_or_default();
        self.write_bytes(&vec![0; count]);
    }
}

impl WritableBuffer for Out<'_> {
    fn reserve(&mut self, _: u64) -> Result<(), ()> {
        Ok(())
    }

    fn write_bytes(&mut self, bytes: &[u8]) {
        if self.result.is_ok() {
            self.result = self.to.write_all(bytes);
            self.at += bytes.len() as u64;
        }
    }
}

#[cfg(test)]
mod tests;
