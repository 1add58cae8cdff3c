//! What an archive has of images, as its documents say.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::oci::{self, Descriptor, DockerImage, ImageConfig, Manifest, Platform};

/// What an archive says that it holds.
#[derive(Debug, Default)]
pub struct Listing {
    /// `manifest.json` was there.
    pub docker: bool,
    /// `index.json` was there.
    pub oci: bool,
    /// Notes of `index.json`.
    pub annotations: BTreeMap<String, String>,
    /// The images, docker's first, each in its document's order.
    pub entries: Vec<Listed>,
}

/// One image of a listing.
#[derive(Clone, Debug)]
pub enum Listed {
    /// In `manifest.json`.
    Docker(DockerImage),
    /// In `index.json` or an index that it leads to: a manifest, its name, and whether it may be left out.
    Oci(Descriptor, Option<String>, bool),
}

impl Listed {
    /// A manifest that nothing more is known of.
    pub fn manifest(digest: Digest, size: u64) -> Self {
        let descriptor =
            Descriptor { media_type: oci::MANIFEST.into(), digest, size, platform: None, annotations: BTreeMap::new() };
        Self::Oci(descriptor, None, false)
    }

    /// That of OCI.
    pub fn descriptor(&self) -> Option<&Descriptor> {
        match self {
            Self::Oci(descriptor, ..) => Some(descriptor),
            Self::Docker(_) => None,
        }
    }

    /// That of docker.
    pub fn docker(&self) -> Option<&DockerImage> {
        match self {
            Self::Docker(image) => Some(image),
            Self::Oci(..) => None,
        }
    }
}

/// One image.
#[derive(Clone, Debug)]
pub struct StoredImage {
    /// `NAME:TAG`, as many as it has.
    pub names: Vec<String>,
    /// Sum of its config.
    pub id: Digest,
    /// Its config.
    pub config: ImageConfig,
    /// The bytes of that.
    pub config_bytes: Vec<u8>,
    /// Lowest first, as many as the config has.
    pub layers: Vec<StoredLayer>,
    /// OCI's manifest, if it has one.
    pub manifest: Option<StoredManifest>,
}

/// Where a layer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLayer {
    /// Its path.
    pub path: String,
    /// The sum of its bytes as they are stored, where a manifest has it.
    pub digest: Option<Digest>,
}

/// A manifest, and its bytes.
#[derive(Clone, Debug)]
pub struct StoredManifest {
    /// What it is.
    pub media_type: String,
    /// As it stands there.
    pub bytes: Vec<u8>,
    /// What it says.
    pub parsed: Manifest,
}

impl StoredImage {
    /// A name for people.
    pub fn shown(&self) -> String {
        self.names.first().cloned().unwrap_or_else(|| self.id.short())
    }

    /// `linux/arm64`
    pub fn platform(&self) -> Platform {
        let (os, architecture, variant) = (self.config.os.clone(), self.config.architecture.clone(), self.config.variant.clone());
        Platform { architecture, os, variant }
    }
}
