//! zlib (RFC 1950): small contents, whole in memory.

use std::io::Read as _;

use anyhow::{Result, anyhow, ensure};

/// Compresses as well as it can; equal bytes give equal bytes.
///
/// # Errors
/// When there is no memory for it.
pub fn compress(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::best());
    let mut space = vec![0; compressor.zlib_compress_bound(bytes.len())];
    let size = compressor.zlib_compress(bytes, &mut space).map_err(|e| anyhow!("failed to compress: {e}"))?;
    space.truncate(size);
    Ok(space)
}

/// The bytes of a stream that unpacks to `limit` bytes at most. What follows the stream is not looked at.
///
/// # Errors
/// When it is damaged, or unpacks to more.
pub fn decompress(bytes: &[u8], limit: u64) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    flate2::bufread::ZlibDecoder::new(bytes).take(limit + 1).read_to_end(&mut out)?;
    ensure!(out.len() as u64 <= limit, "it unpacks to more than the limit of {limit} bytes");
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_unpacks_within_its_limit() {
        let packed = compress(&[b'a'; 1000]).expect("packed");
        assert!(packed.len() < 100);
        assert_eq!(decompress(&packed, 1000).expect("unpacked"), [b'a'; 1000]);
        assert!(decompress(&packed, 999).is_err() && decompress(&packed[..10], 1000).is_err() && decompress(b"", 9).is_err());
    }
}
