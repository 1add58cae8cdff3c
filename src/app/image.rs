//! A finished image.

use super::ImageRef;
use crate::digest::Digest;
use crate::oci::{ImageConfig, Platform};
use crate::segment::Segment;

/// A finished image: layers in the cache, and the config that lists them.
#[derive(Clone, Debug)]
pub struct Image {
    /// The service.
    pub service: String,
    /// `NAME:TAG`.
    pub reference: ImageRef,
    /// Platform.
    pub platform: Platform,
    /// The config, parsed.
    pub config: ImageConfig,
    /// The config's bytes; their digest is the image ID.
    pub config_bytes: Vec<u8>,
    /// Digest of the config's bytes.
    pub id: Digest,
    /// Layers, lowest first.
    pub layers: Vec<Segment>,
}
