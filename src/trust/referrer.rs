//! Envelopes in registries: a manifest without an image that is about an image (image-spec 1.1, manifest.md, "Guidelines for Artifact
//! Usage").

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use crate::digest::Digest;
use crate::oci::{self, Descriptor};

/// `artifactType`: an in-toto statement.
pub const ARTIFACT_TYPE: &str = "application/vnd.in-toto+json";

/// The media type of an envelope.
const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";

/// The config of what has none (manifest.md, "Guidance for an Empty Descriptor").
const EMPTY: (&str, &[u8]) = ("application/vnd.oci.empty.v1+json", b"{}");

/// The annotation with the key's fingerprint.
pub const KEY: &str = "io.github.cargo-appbundle.key";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactManifest<'a> {
    schema_version: u32,
    media_type: &'a str,
    artifact_type: &'a str,
    config: &'a Descriptor,
    layers: [&'a Descriptor; 1],
    subject: Descriptor,
    annotations: &'a BTreeMap<String, String>,
}

/// An envelope as a manifest and its blobs.
pub struct EnvelopeImage {
    /// The bytes of the manifest.
    pub manifest: Vec<u8>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// What it consists of.
    pub blobs: [(Descriptor, Vec<u8>); 2],
}

impl EnvelopeImage {
    /// An envelope, made by the key with this fingerprint, about a manifest.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn new(envelope: String, key: Digest, (media_type, subject, size): (&str, Digest, u64)) -> Result<Self> {
        let about =
            Descriptor { media_type: media_type.to_owned(), digest: subject, size, platform: None, annotations: BTreeMap::new() };
        let annotations = BTreeMap::from([(KEY.to_owned(), key.to_string())]);
        let (config, layer) = (blob(EMPTY.0, EMPTY.1), blob(ENVELOPE, envelope.as_bytes()));
        let manifest = serde_json::to_vec(&ArtifactManifest {
            schema_version: 2,
            media_type: oci::MANIFEST,
            artifact_type: ARTIFACT_TYPE,
            config: &config,
            layers: [&layer],
            subject: about,
            annotations: &annotations,
        })?;
        Ok(Self { manifest, annotations, blobs: [(config, EMPTY.1.to_vec()), (layer, envelope.into_bytes())] })
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
