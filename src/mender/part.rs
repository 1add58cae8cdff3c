//! The members of an artifact, by their names.

use std::io::{BufRead as _, BufReader, Read};

use anyhow::{Result, ensure};

use super::Faults;
use crate::archive::{Compression, TarReader, decompressed};

/// The members in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Version,
    Manifest,
    Signature,
    Header,
    Data,
}

impl Part {
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "version" => Some(Self::Version),
            "manifest" => Some(Self::Manifest),
            "manifest.sig" => Some(Self::Signature),
            name => match name.strip_suffix(suffix(name)) {
                Some("header.tar") => Some(Self::Header),
                Some("data/0000.tar") => Some(Self::Data),
                _ => None,
            },
        }
    }
}

/// `.gz`, `.xz`, `.zst`, or nothing.
fn suffix(name: &str) -> &str {
    match name.rfind('.') {
        Some(dot) if matches!(&name[dot..], ".gz" | ".xz" | ".zst") => &name[dot..],
        _ => "",
    }
}

/// Bytes of a file's beginning by which an artifact is known.
pub const HEAD: u64 = 512;

/// Whether a file that begins so is an artifact, if maybe a damaged one: its first member's name tells.
pub fn is_artifact(head: &[u8]) -> bool {
    let Ok(Some(first)) = TarReader::new(head).next_entry() else { return false };
    let name = first.path.trim_start_matches("./");
    Part::of(name).is_some() || name.starts_with("data/")
}

/// Unpacks by the name's suffix, which has to be true.
pub(super) fn unpacked<'a>(name: &str, reader: impl Read + 'a) -> Result<Box<dyn Read + 'a>> {
    let mut reader = BufReader::with_capacity(1 << 16, reader);
    let compression = Compression::of(reader.fill_buf()?);
    let says = match suffix(name) {
        ".gz" => Compression::Gzip,
        ".xz" => Compression::Xz,
        ".zst" => Compression::Zstd,
        _ => Compression::None,
    };
    ensure!(says == compression, "its compression does not match its name");
    decompressed(reader)
}

/// What surprises about the way in which a part is compressed.
pub(super) fn note_of(name: &str) -> Option<String> {
    let is_header = name.starts_with("header");
    Some(match suffix(name) {
        ".zst" => format!("`{name}`: older Mender clients do not support zstd"),
        ".xz" if !is_header => format!("`{name}`: xz is slow to unpack on a device; gzip is usual"),
        suffix @ (".xz" | "") if is_header => {
            format!("`{name}`: some tools only open `{}.gz`", name.strip_suffix(suffix).unwrap_or(name))
        }
        _ => return None,
    })
}

/// Checks what stands after an archive's last member; says whether it could be read.
pub fn end(tar: &mut TarReader<impl Read>, faults: &mut Faults) -> bool {
    match tar.tail() {
        Err(error) => {
            faults.add(format!("{error:#}"));
            return false;
        }
        Ok(tail) if tail.junk > 0 => faults.add(format!("{} extra bytes follow the archive's end", tail.junk)),
        Ok(tail) if tail.size < 1024 => faults.add("the archive does not end with two zero blocks, so it may be cut short"),
        Ok(_) => {}
    }
    true
}
