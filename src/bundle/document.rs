//! A document about a bundle's contents, which stands last in it.

use anyhow::{Context as _, Result};

use crate::archive::gzip::{Compressor, Level};

/// A document in a bundle. Readers of images do not know it, and pass it over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The name of the member.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Document {
    /// The bill of materials, as gzip: it is text, and bundles are compressed piece by piece.
    ///
    /// # Errors
    /// When it cannot be compressed.
    pub fn sbom(text: &str) -> Result<Self> {
        let mut space = Vec::new();
        let bytes =
            Compressor::new(Level::Default).member(text.as_bytes(), &mut space).context("failed to compress the SBOM")?.to_vec();
        Ok(Self { name: SBOM.to_owned(), bytes })
    }
}

/// The name of the bill of materials in a bundle.
pub const SBOM: &str = "sbom.cdx.json.gz";
