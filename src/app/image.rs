//! A finished image.

use super::ImageRef;
use crate::digest::Digest;
use crate::oci::{ImageConfig, Platform};
use crate::segment::Segment;

/// One service's image: layers in the cache, and the config that joins them.
#[derive(Clone, Debug)]
pub struct Image {
    /// The service.
    pub service: String,
    /// `NAME:TAG`.
    pub reference: ImageRef,
    /// What it runs on.
    pub platform: Platform,
    /// The config, parsed.
    pub config: ImageConfig,
    /// The config's bytes, of which the digest is the image's id.
    pub config_bytes: Vec<u8>,
    /// Their sum.
    pub id: Digest,
    /// Lowest first.
    pub layers: Vec<Segment>,
}
