//! A member of a tar, and the headers that describe it.

use anyhow::{Context as _, Result, ensure};

/// One member of an archive.
#[derive(Clone, Debug)]
pub struct TarEntry {
    /// As it stands in the archive, not yet judged: see [`super::confined`].
    pub path: String,
    /// What it is.
    pub kind: tar::EntryType,
    /// Target of a symbolic or hard link.
    pub link: Option<String>,
    /// Bytes of content.
    pub size: u64,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u64,
    /// Group.
    pub gid: u64,
    /// Seconds since the epoch.
    pub mtime: u64,
    /// Where the content begins, counted from the archive's first byte.
    pub offset: u64,
}

impl TarEntry {
    /// Whether it is a file with content of its own.
    pub fn is_file(&self) -> bool {
        self.kind.is_file() || self.kind.is_contiguous() || self.kind.is_gnu_sparse()
    }
}

/// What an extension header says of the member that follows.
#[derive(Default)]
pub(super) struct Extension {
    pub path: Option<String>,
    pub link: Option<String>,
    pub size: Option<u64>,
}

/// Whether a stream that begins with this block is a tar: a header, or the zero block of an empty archive.
pub fn begins_tar(block: &[u8]) -> bool {
    let Some(block) = block.get(..512) else { return false };
    let mut header = tar::Header::new_old();
    header.as_mut_bytes().copy_from_slice(block);
    block.iter().all(|b| *b == 0) || is_header(&header)
}

/// Whether the checksum fits.
pub(super) fn is_header(header: &tar::Header) -> bool {
    let bytes = header.as_bytes().iter().enumerate();
    let sum: u32 = bytes.map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) }).sum();
    header.cksum().is_ok_and(|stored| stored == sum)
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Reads the records of a pax header (POSIX pax, "Extended Header") into what is known of the member.
pub(super) fn read_pax(mut bytes: &[u8], extension: &mut Extension) -> Result<()> {
    while !bytes.is_empty() {
        let space = bytes.iter().position(|b| *b == b' ').context("a pax record has no length")?;
        let length: usize = std::str::from_utf8(&bytes[..space])?.parse().context("a pax record has no length")?;
        ensure!(length > space + 1 && length <= bytes.len() && bytes[length - 1] == b'\n', "a pax record has the wrong length");
        let record = &bytes[space + 1..length - 1];
        let equals = record.iter().position(|b| *b == b'=').context("a pax record has no value")?;
        let value = &record[equals + 1..];
        match &record[..equals] {
            b"path" => extension.path = Some(text(value)),
            b"linkpath" => extension.link = Some(text(value)),
            b"size" => extension.size = Some(std::str::from_utf8(value)?.parse().context("a pax size is not a number")?),
            _ => {}
        }
        bytes = &bytes[length..];
    }
    Ok(())
}
