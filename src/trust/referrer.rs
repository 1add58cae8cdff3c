//! Documents in registries: a manifest without an image that is about an image (image-spec 1.1, manifest.md, "Guidelines for Artifact
//! Usage").

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use crate::digest::Digest;
use crate::oci::{self, Descriptor};

/// The config of what has none (manifest.md, "Guidance for an Empty Descriptor").
const EMPTY: (&str, &[u8]) = ("application/vnd.oci.empty.v1+json", b"{}");

/// The annotation with the key's fingerprint.
pub const KEY: &str = "io.github.cargo-appbundle.key";

/// What a document in a registry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attachment {
    /// An in-toto statement in a DSSE envelope.
    Envelope,
    /// A bill of materials, as CycloneDX.
    Sbom,
}

impl Attachment {
    /// `artifactType`: by it, the document is found.
    pub fn artifact_type(self) -> &'static str {
        match self {
            Self::Envelope => "application/vnd.in-toto+json",
            Self::Sbom => "application/vnd.cyclonedx+json",
        }
    }

    /// The media type of the document itself.
    fn media_type(self) -> &'static str {
        match self {
            Self::Envelope => "application/vnd.dsse.envelope.v1+json",
            Self::Sbom => "application/vnd.cyclonedx+json",
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactManifest<'a> {
    schema_version: u32,
    media_type: &'a str,
    artifact_type: &'a str,
    config: &'a Descriptor,
    layers: [&'a Descriptor; 1],
    subject: &'a Descriptor,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a BTreeMap<String, String>,
}

/// A document as a manifest and its blobs.
pub struct DocumentImage {
    /// What the document is.
    pub attachment: Attachment,
    /// The bytes of the manifest.
    pub manifest: Vec<u8>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// What it consists of.
    pub blobs: [(Descriptor, Vec<u8>); 2],
}

impl DocumentImage {
    /// A document about the manifest `subject`. The same document gives the same bytes.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn new(
        attachment: Attachment,
        document: String,
        annotations: BTreeMap<String, String>,
        subject: &Descriptor,
    ) -> Result<Self> {
        let (config, layer) = (blob(EMPTY.0, EMPTY.1), blob(attachment.media_type(), document.as_bytes()));
        let manifest = serde_json::to_vec(&ArtifactManifest {
            schema_version: 2,
            media_type: oci::MANIFEST,
            artifact_type: attachment.artifact_type(),
            config: &config,
            layers: [&layer],
            subject,
            annotations: &annotations,
        })?;
        Ok(Self { attachment, manifest, annotations, blobs: [(config, EMPTY.1.to_vec()), (layer, document.into_bytes())] })
    }
}

fn blob(media_type: &str, bytes: &[u8]) -> Descriptor {
    Descriptor {
        media_type: media_type.to_owned(),
        digest: Digest::of(bytes),
        size: bytes.len() as u64,
        platform: None,
        annotations: BTreeMap::new(),
    }
}
