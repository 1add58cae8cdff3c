//! One section of an executable, by its name.

use anyhow::{Result, bail};
use object::elf;
use object::read::ReadRef;
use object::read::elf::{FileHeader, SectionHeader as _};

/// The content of the first section of this name (System V ABI, chapter 4); `None` if there is none.
///
/// # Errors
/// When it is not an ELF file, or is damaged.
pub fn section<'a>(data: impl ReadRef<'a>, name: &str) -> Result<Option<&'a [u8]>> {
    match object::FileKind::parse(data) {
        Ok(object::FileKind::Elf64) => find(elf::FileHeader64::<object::Endianness>::parse(data)?, data, name),
        Ok(object::FileKind::Elf32) => find(elf::FileHeader32::<object::Endianness>::parse(data)?, data, name),
        _ => bail!("it is not an ELF file"),
    }
}

fn find<'a, F: FileHeader, R: ReadRef<'a>>(header: &F, data: R, name: &str) -> Result<Option<&'a [u8]>> {
    let endian = header.endian()?;
    let sections = header.sections(endian, data)?;
    let Some((_, section)) = sections.section_by_name(endian, name.as_bytes()) else { return Ok(None) };
    Ok(Some(section.data(endian, data)?))
}
