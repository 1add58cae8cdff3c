//! An image on its way to a registry: its manifest, and where the bytes of its blobs stand.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek as _, SeekFrom};
use std::path::PathBuf;

use anyhow::{Result, ensure};

use crate::oci::{self, Descriptor, ImageManifest};
use crate::registry::Reference;

/// An image with all its blobs.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The last part of its repository's name: the service.
    pub name: String,
    /// Its version.
    pub tag: String,
    /// `linux/arm64`
    pub platform: String,
    /// The manifest's media type.
    pub media_type: String,
    /// The manifest's bytes.
    pub manifest: Vec<u8>,
    /// Config and layers.
    pub blobs: Vec<Blob>,
    /// A repository that has some of the layers: the base's.
    pub mount: Option<Reference>,
}

/// A blob and where it stands.
#[derive(Clone, Debug)]
pub struct Blob {
    /// Its sum and size.
    pub descriptor: Descriptor,
    /// Its bytes.
    pub source: BlobSource,
}

/// Where bytes stand.
#[derive(Clone, Debug)]
pub enum BlobSource {
    /// Here.
    Bytes(Vec<u8>),
    /// In a file: from this byte, so many.
    Stretch(PathBuf, u64, u64),
}

impl BlobSource {
    /// Opens it at its beginning.
    ///
    /// # Errors
    /// When the file is not there.
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
    /// An image whose layers are whole files, one for each of the manifest's.
    ///
    /// # Errors
    /// When manifest, config and files do not go together.
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
