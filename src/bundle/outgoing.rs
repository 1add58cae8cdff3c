//! An image to push: its manifest, and where the bytes of its blobs are.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek as _, SeekFrom};
use std::path::PathBuf;

use anyhow::{Result, ensure};

use crate::oci::{self, Descriptor, ImageManifest};
use crate::registry::Reference;

/// An image with all its blobs.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The last part of its repository's name: the service's name.
    pub name: String,
    /// Its tag.
    pub tag: String,
    /// `linux/arm64`
    pub platform: String,
    /// The manifest's media type.
    pub media_type: String,
    /// The manifest's bytes.
    pub manifest: Vec<u8>,
    /// Its config and layers.
    pub blobs: Vec<Blob>,
    /// A repository that already has some of the layers: that of the base.
    pub mount: Option<Reference>,
}

/// A blob, and where its bytes are.
#[derive(Clone, Debug)]
pub struct Blob {
    /// Its sum and size.
    pub descriptor: Descriptor,
    /// Its bytes.
    pub source: BlobSource,
}

/// Where bytes are stored.
#[derive(Clone, Debug)]
pub enum BlobSource {
    /// In memory.
    Bytes(Vec<u8>),
    /// In a file: offset and length.
    Stretch(PathBuf, u64, u64),
}

impl BlobSource {
    /// Opens the bytes at their beginning.
    ///
    /// # Errors
    /// When the file does not exist.
    pub fn open(&self) -> io::Result<Box<dyn Read>> {
        match self {
            Self::Bytes(bytes) => Ok(Box::new(Cursor::new(bytes.clone()))),
            Self::Stretch(path, offset, size) => {
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(*offset))?;
                Ok(Box::new(file.take(*size)))
            }
        }
    }
}

impl Outgoing {
    /// An image from whole layer files, one for each layer of the manifest.
    ///
    /// # Errors
    /// When manifest, config and files do not match.
    pub fn new(
        name: String,
        tag: String,
        platform: String,
        manifest: ImageManifest,
        config: String,
        files: &[PathBuf],
    ) -> Result<Self> {
        ensure!(
            files.len() == manifest.layers.len(),
            "the config of `{name}` lists {} layers, but its manifest lists {}",
            files.len(),
            manifest.layers.len()
        );
        let bytes = serde_json::to_vec(&manifest)?;
        let config = Blob { descriptor: manifest.config, source: BlobSource::Bytes(config.into_bytes()) };
        let layers = manifest.layers.into_iter().zip(files);
        let layers =
            layers.map(|(descriptor, path)| Blob { source: BlobSource::Stretch(path.clone(), 0, descriptor.size), descriptor });
        let blobs = layers.chain([config]).collect();
        Ok(Self { name, tag, platform, media_type: oci::MANIFEST.into(), manifest: bytes, blobs, mount: None })
    }
}
