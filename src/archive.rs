//! The one door to tar, gzip, xz and zstd.
//!
//! Everything here is a stream: memory is bounded by constants, whatever the input claims of itself.

mod budget;
mod entry;
pub mod gzip;
mod members;
pub mod order;
mod places;
mod reader;
mod writer;
mod xz;
pub mod zlib;
pub mod zstd;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use anyhow::{Context as _, Result, bail};

pub use budget::{Budget, Counted, MOST_UNPACKED};
pub use entry::{TarEntry, begins_tar};
pub use members::Members;
pub use places::places;
pub use reader::{Tail, TarReader};
pub use writer::{BLOCK, END_OF_ARCHIVE, Entry, EntryKind, encode, encode_file, padding};

/// How a stream is compressed, judged by its first bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all, or by nothing known here.
    #[default]
    None,
    /// RFC 1952.
    Gzip,
    /// The .xz file format.
    Xz,
    /// RFC 8878.
    Zstd,
}

impl Compression {
    /// How many of the first bytes tell.
    pub const HEAD: u64 = 6;

    /// Looks at the first bytes of a stream.
    pub fn of(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::None,
        }
    }

    /// Looks at the first bytes of a file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of_file(path: &Path) -> Result<Self> {
        let mut start = Vec::new();
        fs_err::File::open(path)?.take(Self::HEAD).read_to_end(&mut start)?;
        Ok(Self::of(&start))
    }

    /// The name by which people know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
        }
    }
}

/// A reader of the uncompressed bytes, whatever the compression.
///
/// # Errors
/// When the first bytes cannot be read, or show a compression that is not supported.
pub fn decompressed<'a>(mut reader: impl BufRead + 'a) -> Result<Box<dyn Read + 'a>> {
    let start = reader.fill_buf()?;
    if start.starts_with(b"BZh") {
        bail!("it is compressed with bzip2, which is not supported\nhelp: unpack it first: `bunzip2 FILE`");
    }
    Ok(match Compression::of(start) {
        Compression::None => Box::new(reader),
        Compression::Gzip => Box::new(gzip::decoder(reader)),
        Compression::Xz => Box::new(xz::XzDecoder::new(reader)),
        Compression::Zstd => Box::new(zstd::Decoder::new(reader)),
    })
}

/// Unpacks a file to another one, in which members are found by seeking.
///
/// # Errors
/// When it is damaged, unpacks to more than [`MOST_UNPACKED`] bytes, or cannot be written.
pub fn unpack(path: &Path, to: &mut File) -> Result<()> {
    let from = decompressed(BufReader::with_capacity(1 << 18, fs_err::File::open(path)?))?;
    let copied = std::io::copy(&mut Budget::new(MOST_UNPACKED).reader(from), to);
    copied.map(drop).with_context(|| format!("failed to unpack `{}`", path.display()))
}

/// The path of an archive member relative to the root of what it is unpacked to, without `./`, empty for the root
/// itself; `None` when it would lead out of there.
pub fn confined(path: &str) -> Option<String> {
    if path.starts_with('/') || path.contains('\0') {
        return None;
    }
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => return None,
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Without `.` and `..`; what would lead out of the root stays at it, as in a chroot.
pub fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        assert_eq!(confined("./usr//bin/"), Some("usr/bin".into()));
        assert_eq!(confined("./"), Some(String::new()));
        for bad in ["/etc/passwd", "../x", "a/../../b", "a/..", "a\0b"] {
            assert_eq!(confined(bad), None, "{bad}");
        }
    }
}
