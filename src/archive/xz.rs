//! Reading xz (the .xz file format 1.2), within bounded memory.

use std::io::{self, BufRead, Read};

use lzma_rust2::XzReader;

/// KiB that a decoder may take; what `xz -9` writes needs 65 MiB.
const MEMORY: u32 = 72 << 10;

/// Uncompressed bytes of all streams of a file.
pub struct XzDecoder<R: BufRead> {
    /// Gone after an error: the crate's reader panics when it is read on.
    reader: Option<XzReader<R>>,
}

impl<R: BufRead> XzDecoder<R> {
    /// Reads from the first stream on.
    pub fn new(reader: R) -> Self {
        Self { reader: Some(XzReader::new_mem_limit(reader, true, MEMORY)) }
    }
}

impl<R: BufRead> Read for XzDecoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // The crate's reader takes an empty read for the end of a block.
        if buffer.is_empty() {
            return Ok(0);
        }
        let reader = self.reader.as_mut().ok_or_else(|| io::Error::other("the stream failed earlier"))?;
        let result = reader.read(buffer);
        if result.is_err() {
            self.reader = None;
        }
        result.map_err(|error| match error.kind() {
            io::ErrorKind::OutOfMemory => io::Error::other(format!(
                "unpacking it takes more than {} MiB of memory\nhelp: recompress it with `xz -9` or a lower preset",
                MEMORY >> 10
            )),
            kind => io::Error::new(kind, format!("the xz data is damaged: {error}")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf abc | xz -0 --check=crc32`
    const ABC: &[u8] = &[
        0xfd, b'7', b'z', b'X', b'Z', 0, 0, 1, 0x69, 0x22, 0xde, 0x36, 2, 0, 0x21, 1, 0x0c, 0, 0, 0, 0x8f, 0x98, 0x41, 0x9c, 1,
        0, 2, b'a', b'b', b'c', 0, 0, 0xc2, 0x41, 0x24, 0x35, 0, 1, 0x17, 3, 0x07, 0x60, 0x0c, 0xbc, 0x90, 0x42, 0x99, 0x0d, 1,
        0, 0, 0, 0, 1, b'Y', b'Z',
    ];

    fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut decoder = XzDecoder::new(bytes);
        let mut out = Vec::new();
        let result = decoder.read_to_end(&mut out);
        if result.is_err() {
            assert!(decoder.read(&mut [0]).is_err(), "an error lasts");
        }
        result.map(|_| out)
    }

    #[test]
    fn streams_are_read_one_after_another() {
        assert_eq!(read(ABC).expect("xz"), b"abc");
        let padded = [ABC, &[0; 4], ABC].concat();
        assert_eq!(read(&padded).expect("xz"), b"abcabc");
        let mut decoder = XzDecoder::new(ABC);
        assert_eq!(decoder.read(&mut []).expect("nothing"), 0);
        assert_eq!(io::read_to_string(decoder).expect("xz"), "abc");
    }

    #[test]
    fn whatever_is_damaged_is_an_error() {
        for end in 0..ABC.len() {
            assert!(read(&ABC[..end]).is_err(), "cut at {end}");
        }
        for bit in 0..ABC.len() * 8 {
            let mut bytes = ABC.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&bytes).is_err(), "bit {bit}");
        }
        assert!(read(&[ABC, b"junk"].concat()).is_err());
    }
}
