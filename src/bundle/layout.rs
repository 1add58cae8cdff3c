//! Writes a docker archive that is also an OCI layout, or only an OCI layout, in one tar (image-layout.md; docker image spec).

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufWriter, Write};

use anyhow::{Context as _, Result};

use super::document::Document;
use crate::app::{Base, Image};
use crate::archive::{END_OF_ARCHIVE, encode_file, padding};
use crate::digest::Digest;
use crate::fs::Pending;
use crate::oci::{self, Descriptor, DockerImage, ImageManifest, Index, Layout, Platform};
use crate::segment::{Cache, Segment};

/// The tools that can read the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `docker load` and `podman load`, through `manifest.json`; other tools through the OCI layout over the same blobs.
    Docker,
    /// Only readers of OCI layouts.
    Oci,
}

/// The images of one platform.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// One image for each service.
    pub images: &'a [Image],
    /// The cache with their layers.
    pub cache: &'a Cache,
    /// Documents about the images. No reader of images looks for them, so they stand last, and nothing refers to them.
    pub documents: &'a [Document],
}

/// Writes the archive; returns its size. A service with images for several platforms gets an index of them. `annotations` go into
/// the archive's index.
///
/// # Errors
/// When a cached layer is damaged ([`crate::segment::Damaged`]), or the file cannot be written.
pub fn write(
    to: &mut Pending,
    kind: Kind,
    parts: &[Part<'_>],
    annotations: BTreeMap<String, String>,
    mtime: u64,
    written: &dyn Fn(u64),
) -> Result<u64> {
    let mut documents: BTreeMap<Digest, Vec<u8>> = BTreeMap::new();
    let mut services: Vec<(&Image, Vec<Descriptor>)> = Vec::new();
    let mut docker = Vec::new();
    for (image, cache) in parts.iter().flat_map(|part| part.images.iter().map(|image| (image, part.cache))) {
        let manifest = manifest(image, cache)?;
        let layers = manifest.layers.iter().map(|layer| oci::blob_path(&layer.digest)).collect();
        let manifest = serde_json::to_vec(&manifest)?;
        let descriptor = descriptor(oci::MANIFEST, &manifest, Some(image.platform.clone()));
        docker.push(DockerImage { config: oci::blob_path(&image.id), repo_tags: vec![image.reference.to_string()], layers });
        documents.insert(descriptor.digest, manifest);
        documents.insert(image.id, image.config_bytes.clone());
        match services.iter_mut().find(|(other, _)| other.reference == image.reference) {
            Some((_, platforms)) => platforms.push(descriptor),
            None => services.push((image, vec![descriptor])),
        }
    }
    let mut manifests = Vec::new();
    for (image, mut platforms) in services {
        let mut entry = match platforms.len() {
            1 => platforms.remove(0),
            _ => {
                let index = serde_json::to_vec(&index(platforms))?;
                let entry = descriptor(oci::INDEX, &index, None);
                documents.insert(entry.digest, index);
                entry
            }
        };
        entry.annotations = BTreeMap::from([
            (oci::REF_NAME.to_owned(), image.reference.to_string()),
            (oci::IMAGE_NAME.to_owned(), image.reference.canonical()),
        ]);
        manifests.push(entry);
    }
    let index = Index { annotations, ..index(manifests) };

    let path = to.path().to_owned();
    let mut tar = Tar { to: BufWriter::with_capacity(1 << 18, to.file()), mtime, size: 0 };
    tar.file("oci-layout", &serde_json::to_vec(&Layout { version: "1.0.0".into() })?)?;
    tar.file("index.json", &serde_json::to_vec(&index)?)?;
    if kind == Kind::Docker {
        tar.file("manifest.json", &serde_json::to_vec(&docker)?)?;
    }
    for (digest, document) in &documents {
        tar.file(&oci::blob_path(digest), document)?;
    }
    let mut seen = BTreeSet::new();
    for part in parts {
        let layers = part.images.iter().flat_map(|image| &image.layers);
        for segment in layers {
            let digest = part.cache.digest(segment)?;
            if !seen.insert(digest) {
                continue;
            }
            tar.segment(segment, &digest, part.cache)?;
            written(segment.compressed);
        }
    }
    for document in parts.iter().flat_map(|part| part.documents) {
        tar.file(&document.name, &document.bytes)?;
    }
    tar.put(&END_OF_ARCHIVE)?;
    tar.to.flush().with_context(|| format!("failed to write `{}`", path.display()))?;
    Ok(tar.size)
}

/// An image index of these manifests (image-index.md).
pub fn index(manifests: Vec<Descriptor>) -> Index {
    Index { schema_version: 2, media_type: oci::INDEX.into(), manifests, annotations: BTreeMap::new() }
}

/// The descriptor of a document.
pub fn descriptor(media_type: &str, document: &[u8], platform: Option<Platform>) -> Descriptor {
    let (digest, size) = (Digest::of(document), document.len() as u64);
    Descriptor { media_type: media_type.into(), digest, size, platform, annotations: BTreeMap::new() }
}

/// The manifest of an image, the same in every archive and registry (manifest.md).
///
/// # Errors
/// When a cached layer is damaged ([`crate::segment::Damaged`]).
pub fn manifest(image: &Image, cache: &Cache) -> Result<ImageManifest> {
    let sized = |layer: &Segment| Ok((cache.digest(layer)?, layer.compressed));
    let layers = image.layers.iter().map(sized).collect::<Result<Vec<_>>>()?;
    Ok(manifest_of(&image.config_bytes, layers.into_iter()))
}

/// Hashes the layers of the bases, so that [`write()`] has less to do. An error here occurs again in [`write()`], which reports
/// it.
pub fn begin_digests(bases: &[&Base], cache: &Cache) -> Result<()> {
    bases.iter().flat_map(|base| &base.layers).try_for_each(|layer| cache.digest(layer).map(drop))
}

/// The manifest of a config and its gzip layers, lowest first.
pub(super) fn manifest_of(config: &[u8], layers: impl Iterator<Item = (Digest, u64)>) -> ImageManifest {
    let descriptor = |media_type: &str, digest, size| Descriptor {
        media_type: media_type.into(),
        digest,
        size,
        platform: None,
        annotations: BTreeMap::new(),
    };
    ImageManifest {
        schema_version: 2,
        media_type: oci::MANIFEST.into(),
        config: descriptor(oci::CONFIG, Digest::of(config), config.len() as u64),
        layers: layers.map(|(digest, size)| descriptor(oci::LAYER_GZIP, digest, size)).collect(),
        annotations: BTreeMap::new(),
    }
}

struct Tar<W: Write> {
    to: W,
    mtime: u64,
    size: u64,
}

impl<W: Write> Tar<W> {
    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.to.write_all(bytes)?;
        self.size += bytes.len() as u64;
        Ok(())
    }

    fn file(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.put(&encode_file(name, 0o644, bytes.len() as u64, self.mtime)?)?;
        self.put(bytes)?;
        self.put(padding(bytes.len() as u64))
    }

    fn segment(&mut self, segment: &Segment, digest: &Digest, cache: &Cache) -> Result<()> {
        self.put(&encode_file(&oci::blob_path(digest), 0o644, segment.compressed, self.mtime)?)?;
        cache.read(segment, |block, _| self.put(block))?;
        self.put(padding(segment.compressed))
    }
}
