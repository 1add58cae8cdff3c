//! gzip (RFC 1952): independent members for segments, stored blocks for what is compressed already.

use std::io::{self, BufRead, Write};

use anyhow::{Result, anyhow};

/// How hard to try. The names are the user's; the numbers are libdeflate's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// For the inner loop of development.
    Fast,
    /// Smaller than the usual gzip, and faster.
    #[default]
    Default,
    /// For a release that travels over a thin link.
    Best,
}

impl Level {
    /// The name the user writes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Default => "default",
            Self::Best => "best",
        }
    }

    fn number(self) -> libdeflater::CompressionLvl {
        let number = match self {
            Self::Fast => 1,
            Self::Default => 5,
            Self::Best => 12,
        };
        libdeflater::CompressionLvl::new(number).unwrap_or_default()
    }
}

/// A member's header with none but the fixed fields, and nothing in these (RFC 1952, 2.3).
const FIXED: [u8; HEADER] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// Bytes of the header that [`Compressor::member`] writes, which has none but the fixed fields.
pub const HEADER: usize = 10;

/// Where in a [`header_with`] extra bytes they begin.
pub const EXTRA_AT: usize = HEADER + 6;

/// The header of a member with a subfield of extra bytes, which readers pass over (RFC 1952, 2.3.1.1); the rest of any member
/// makes it a whole one.
pub fn header_with(id: [u8; 2], extra: &[u8]) -> Vec<u8> {
    let mut header = FIXED.to_vec();
    header[3] = 4;
    header.extend((extra.len() as u16 + 4).to_le_bytes());
    header.extend(id);
    header.extend((extra.len() as u16).to_le_bytes());
    header.extend(extra);
    header
}

/// Makes members: each the gzip of one run of bytes, without name or time.
pub struct Compressor(libdeflater::Compressor);

impl Compressor {
    /// A compressor of this level.
    pub fn new(level: Level) -> Self {
        Self(libdeflater::Compressor::new(level.number()))
    }

    /// One member that holds `input`, in `space`, which grows as it must.
    pub fn member<'a>(&mut self, input: &[u8], space: &'a mut Vec<u8>) -> Result<&'a [u8]> {
        let bound = self.0.gzip_compress_bound(input.len());
        if space.len() < bound {
            space.resize(bound, 0);
        }
        let size = self.0.gzip_compress(input, space).map_err(|e| anyhow!("failed to compress: {e}"))?;
        Ok(&space[..size])
    }
}

/// The bytes of all members, one after another.
pub fn decoder<R: BufRead>(reader: R) -> flate2::bufread::MultiGzDecoder<R> {
    flate2::bufread::MultiGzDecoder::new(reader)
}

/// Bytes in one stored block at most (RFC 1951, 3.2.4).
const STORED: u64 = 65_535;

/// How long the stored gzip of `size` bytes is.
pub fn stored_size(size: u64) -> u64 {
    10 + 5 * size.div_ceil(STORED).max(1) + size + 8
}

/// The bytes in a stored gzip of `size` bytes: the inverse of [`stored_size`].
pub fn stored_content(size: u64) -> Option<u64> {
    let blocks = size.checked_sub(18)?.div_ceil(STORED + 5).max(1);
    let content = (size - 18).checked_sub(5 * blocks)?;
    (stored_size(content) == size).then_some(content)
}

/// Writes a gzip file of stored blocks around `size` bytes, which must be known beforehand.
pub struct StoredWriter<W: Write> {
    inner: W,
    left: u64,
    block: u64,
    total: u64,
    crc: crc32fast::Hasher,
}

impl<W: Write> StoredWriter<W> {
    /// Writes the header.
    pub fn new(mut inner: W, size: u64) -> io::Result<Self> {
        inner.write_all(&FIXED)?;
        let mut writer = Self { inner, left: size, block: 0, total: size, crc: crc32fast::Hasher::new() };
        if size == 0 {
            writer.inner.write_all(&[1, 0, 0, 0xff, 0xff])?;
        }
        Ok(writer)
    }

    /// Takes bytes whose sum is known: `crc` is the CRC-32 of exactly these bytes, and is not computed again.
    pub fn write_summed(&mut self, bytes: &[u8], crc: &crc32fast::Hasher) -> io::Result<()> {
        self.crc.combine(crc);
        self.put(bytes)
    }

    /// Bytes that are still to come.
    pub fn left(&self) -> u64 {
        self.left
    }

    fn put(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.block == 0 {
                if self.left == 0 {
                    return Err(io::Error::other("more bytes than declared"));
                }
                self.block = self.left.min(STORED);
                let last = u8::from(self.block == self.left);
                let length = self.block as u16;
                let [a, b] = length.to_le_bytes();
                self.inner.write_all(&[last, a, b, !a, !b])?;
            }
            let count = self.block.min(bytes.len() as u64);
            let (now, later) = bytes.split_at(count as usize);
            self.inner.write_all(now)?;
            self.block -= count;
            self.left -= count;
            bytes = later;
        }
        Ok(())
    }

    /// Writes the trailer.
    pub fn finish(mut self) -> io::Result<W> {
        if self.left != 0 {
            return Err(io::Error::other("fewer bytes than declared"));
        }
        self.inner.write_all(&self.crc.finalize().to_le_bytes())?;
        self.inner.write_all(&(self.total as u32).to_le_bytes())?;
        Ok(self.inner)
    }
}

impl<W: Write> Write for StoredWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.crc.update(bytes);
        self.put(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn unpack(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        decoder(bytes).read_to_end(&mut out).expect("gzip");
        out
    }

    #[test]
    fn stored_sizes_are_known_beforehand() {
        for size in [0usize, 1, 65_534, 65_535, 65_536, 200_000] {
            let input: Vec<u8> = (0..size).map(|n| n as u8).collect();
            let mut writer = StoredWriter::new(Vec::new(), size as u64).expect("header");
            for part in input.chunks(7777) {
                writer.write_all(part).expect("stored");
            }
            let packed = writer.finish().expect("trailer");
            assert_eq!(packed.len() as u64, stored_size(size as u64));
            assert_eq!(stored_content(packed.len() as u64), Some(size as u64));
            assert_eq!(unpack(&packed), input);
        }
        assert!(StoredWriter::new(Vec::new(), 1).expect("header").finish().is_err());
        assert!(StoredWriter::new(Vec::new(), 1).expect("header").write_all(b"ab").is_err());
    }

    #[test]
    fn members_follow_one_another() {
        let mut compressor = Compressor::new(Level::Default);
        let (mut all, mut space) = (Vec::new(), Vec::new());
        for part in [&b"one "[..], b"", b"two"] {
            all.extend_from_slice(compressor.member(part, &mut space).expect("member"));
        }
        assert_eq!(unpack(&all), b"one two");
        all.extend(header_with(*b"Xy", b"passed over"));
        assert!(all.ends_with(b"passed over"));
        all.extend_from_slice(&compressor.member(b" three", &mut space).expect("member")[HEADER..]);
        assert_eq!(unpack(&all), b"one two three");
        assert_eq!(&header_with(*b"Xy", b"extra")[EXTRA_AT..], b"extra");
        let mut out = Vec::new();
        assert!(decoder(&all[..all.len() - 3]).read_to_end(&mut out).is_err());
    }
}
