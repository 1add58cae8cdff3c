//! Layers, compressed once in their life.
//!
//! A segment is a layer's tar as a run of independent gzip members of [`BLOCK`] uncompressed bytes each (RFC 1952, 2.2: a
//! file is a series of members). It serves as an OCI blob, as a registry blob, and as a stretch of a larger gzip file.

mod cache;
mod known;
mod layer;
mod packer;
mod pool;
mod sink;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

pub use cache::{Cache, Damaged};
pub use known::KnownDigests;
pub use layer::{Content, Layer, LayerMember};
pub use packer::Packer;

/// Uncompressed bytes of one gzip member. Part of the format: another size gives other bytes.
pub const BLOCK: usize = 1 << 20;

/// Changes whenever the same input would give other bytes than before.
const FORMAT: &str = "segment-4";

/// Under what a segment lies in the cache: the sum of all that makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key(Digest);

impl Key {
    /// The key of what these parts describe; a part's border is part of it.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hasher = crate::digest::Hasher::default();
        for part in std::iter::once(FORMAT.as_bytes()).chain(parts) {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(hasher.finish())
    }

    fn name(self) -> String {
        self.0.hex()
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name())
    }
}

/// A compressed layer in the cache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Where it lies.
    pub key: Key,
    /// Sum of the layer's uncompressed tar: its `diff_id` (OCI config.md).
    pub diff_id: Digest,
    /// Bytes of the uncompressed tar.
    pub uncompressed: u64,
    /// Bytes, compressed.
    pub compressed: u64,
    /// CRC-32 of the compressed bytes: checked on every read.
    pub crc32: u32,
}
