//! Image documents: OCI image-spec 1.1 (manifest.md, image-index.md, config.md) and the docker archive's `manifest.json`.
//!
//! Every map is sorted, so that equal values give equal bytes. Unknown fields of documents that others wrote are dropped.

mod run_config;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

use run_config::null_is_empty;
pub use run_config::{DEFAULT_PATH, Healthcheck, Nothing, RunConfig};

/// `application/vnd.oci.image.manifest.v1+json`
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// `application/vnd.oci.image.index.v1+json`
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// `application/vnd.oci.image.config.v1+json`
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// `application/vnd.oci.image.layer.v1.tar+gzip`
pub const LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// Annotation of an index entry: the reference it is known by (annotations.md).
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// Annotation by which containerd and docker name an image on import.
pub const IMAGE_NAME: &str = "io.containerd.image.name";

/// Bytes of one document, a config, manifest or index: larger ones are not read.
pub const LARGEST_DOCUMENT: u64 = 8 << 20;

/// Points at a blob (descriptor.md).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the blob is.
    #[serde(default)]
    pub media_type: String,
    /// Its sum.
    pub digest: Digest,
    /// Its bytes.
    pub size: u64,
    /// What it runs on; in an index only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Free notes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// What an image runs on (image-index.md, `platform`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Platform {
    /// In Go's names: `arm64`, `amd64`, `arm`, `riscv64`.
    pub architecture: String,
    /// In Go's names: `linux`.
    pub os: String,
    /// `v7` for armv7, `v8` sometimes for arm64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

impl Platform {
    /// The variant, in words also where it goes without saying: of one architecture the later ones run what the earlier ones do.
    pub fn level(&self) -> Option<&str> {
        self.variant.as_deref().or(match self.architecture.as_str() {
            "arm64" => Some("v8"),
            "arm" => Some("v7"),
            "amd64" => Some("v1"),
            _ => None,
        })
    }

    /// Of what an index has, what this one runs: of several variants of an architecture the nearest. What is for none that is named
    /// fits all.
    pub fn nearest<'a>(&self, all: impl IntoIterator<Item = &'a Descriptor>) -> Vec<&'a Descriptor> {
        let runs = |one: &&Descriptor| one.platform.as_ref().is_none_or(|platform| self.takes(platform));
        let mut fitting: Vec<&Descriptor> = all.into_iter().filter(runs).collect();
        let nearest = fitting.iter().filter_map(|one| one.platform.as_ref().map(Self::level)).max();
        fitting.retain(|one| one.platform.as_ref().is_none_or(|platform| Some(platform.level()) == nearest));
        fitting
    }

    /// Whether it runs what is for the other one.
    pub fn takes(&self, other: &Self) -> bool {
        (&self.os, &self.architecture) == (&other.os, &other.architecture) && other.level() <= self.level()
    }
}

impl std::fmt::Display for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.iter().try_for_each(|variant| write!(f, "/{variant}"))
    }
}

impl std::str::FromStr for Platform {
    type Err = String;

    /// `linux/arm64`, `linux/arm/v7`
    fn from_str(text: &str) -> Result<Self, String> {
        let (os, rest) = text.split_once('/').ok_or_else(|| format!("`{text}` is not a platform"))?;
        let (architecture, variant) = rest.split_once('/').map_or((rest, None), |(a, v)| (a, Some(v.to_owned())));
        Ok(Self { architecture: architecture.to_owned(), os: os.to_owned(), variant })
    }
}

/// One image: a config and its layers, lowest first (manifest.md).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageManifest {
    /// 2.
    pub schema_version: u32,
    /// [`MANIFEST`] in what we write.
    #[serde(default)]
    pub media_type: String,
    /// The image's config.
    pub config: Descriptor,
    /// Lowest first.
    pub layers: Vec<Descriptor>,
    /// Free notes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// Several images (image-index.md); also an OCI layout's `index.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// 2.
    pub schema_version: u32,
    /// [`INDEX`] in what we write.
    #[serde(default)]
    pub media_type: String,
    /// Manifests or further indexes.
    pub manifests: Vec<Descriptor>,
    /// Free notes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// `oci-layout` (image-layout.md).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// `1.0.0`.
    #[serde(rename = "imageLayoutVersion")]
    pub version: String,
}

/// An image's config (config.md).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageConfig {
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// In Go's names.
    #[serde(default)]
    pub architecture: String,
    /// As in [`Platform`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// In Go's names.
    #[serde(default)]
    pub os: String,
    /// How a container is run.
    #[serde(default)]
    pub config: RunConfig,
    /// The layers' uncompressed sums.
    #[serde(default)]
    pub rootfs: RootFs,
    /// How it came to be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<History>,
}

/// The layers of an image (config.md, `rootfs`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootFs {
    /// `layers`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Sums of the uncompressed layers, lowest first.
    #[serde(deserialize_with = "null_is_empty")]
    pub diff_ids: Vec<Digest>,
}

impl Default for RootFs {
    fn default() -> Self {
        Self { kind: "layers".into(), diff_ids: Vec::new() }
    }
}

/// One step of an image's making (config.md, `history`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// What made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// Of what it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Whether it has no layer.
    #[serde(default, skip_serializing_if = "is_false")]
    pub empty_layer: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// One image of a docker archive's `manifest.json` (docker image spec 1.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DockerImage {
    /// The member that is the config.
    pub config: String,
    /// `NAME:TAG`.
    #[serde(deserialize_with = "null_is_empty")]
    pub repo_tags: Vec<String>,
    /// The members that are the layers, lowest first.
    #[serde(deserialize_with = "null_is_empty")]
    pub layers: Vec<String>,
}

/// `blobs/sha256/HEX`, the place of a blob in a layout (image-layout.md).
pub fn blob_path(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_of_docker_is_read() {
        let text = r#"{"architecture":"arm64","os":"linux","config":{"Hostname":"","Env":["A=b"],"Cmd":null,"Volumes":null,"Labels":null},
            "rootfs":{"type":"layers","diff_ids":null},"history":[{"created_by":"x","empty_layer":true}]}"#;
        let config: ImageConfig = serde_json::from_str(text).expect("config");
        assert_eq!(config.config.env, ["A=b"]);
        assert!(config.history[0].empty_layer && config.config.cmd.is_empty());
    }
}
