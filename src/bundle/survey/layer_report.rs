//! A layer of a bundle, as it is reported.

use serde::Serialize;

use crate::digest::Digest;

/// A layer.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LayerReport {
    /// Sum of its unpacked bytes.
    pub diff_id: Digest,
    /// Whether it is in the file; one of an app base may be left out.
    pub present: bool,
    /// Unpacked bytes.
    pub unpacked: u64,
    /// Bytes that it takes in the file, where that can be told.
    pub packed: Option<u64>,
    /// `none`, `gzip`, `xz` or `zstd`, of this layer alone.
    pub compression: &'static str,
    /// Files in it.
    pub files: u64,
    /// Positions in `images` of those that have it.
    pub images: Vec<usize>,
}
