//! From an archive's documents to its images: docker's `manifest.json`, and OCI's `index.json` (image-layout.md).

use std::collections::BTreeSet;

use anyhow::{Result, bail, ensure};
use serde::de::DeserializeOwned;

use super::image::{Listed, Listing, StoredImage, StoredLayer, StoredManifest};
use super::{ALL_DOCUMENTS, Documents, Finding, Findings, MOST};
use crate::digest::Digest;
use crate::oci::{self, Descriptor, DockerImage, ImageConfig, ImageManifest, Index, Layout};

/// Follows the documents of an archive.
pub struct Walk<'a> {
    members: &'a dyn Documents,
    report: &'a mut Findings<'a>,
    parsed: u64,
}

impl<'a> Walk<'a> {
    /// Begins one.
    pub fn new(members: &'a dyn Documents, report: &'a mut Findings<'a>) -> Self {
        Self { members, report, parsed: 0 }
    }

    /// What is there, as far as `manifest.json`, `index.json` and other indexes tell.
    ///
    /// # Errors
    /// Those of the report.
    pub fn list(&mut self) -> Result<Listing> {
        let mut listing = Listing::default();
        if self.has("manifest.json") {
            listing.docker = true;
            if let Some(images) = self.parse::<Vec<DockerImage>>("manifest.json", None)? {
                if images.is_empty() {
                    self.fault("`manifest.json` lists no images")?;
                }
                listing.entries.extend(images.into_iter().map(Listed::Docker));
            }
        }
        if self.has("index.json") {
            listing.oci = true;
            self.index(&mut listing)?;
        } else if self.has("oci-layout") && !listing.docker {
            listing.oci = true;
            self.fault("it has an `oci-layout`, but no `index.json`")?;
        }
        if !listing.docker && !listing.oci {
            self.fault("it has neither a `manifest.json` (docker) nor an `index.json` (OCI)")?;
        }
        Ok(listing)
    }

    /// All images of a listing, each once, with all its names.
    ///
    /// # Errors
    /// Those of the report.
    pub fn images(&mut self, listing: &Listing) -> Result<Vec<StoredImage>> {
        let mut images: Vec<StoredImage> = Vec::new();
        for entry in &listing.entries {
            let Some(found) = self.image(entry)? else { continue };
            let known = images.iter_mut().find(|image| matches!(entry, Listed::Oci(..)) && image.id == found.id);
            let Some(known) = known else {
                images.push(found);
                continue;
            };
            // Docker's names count, where it has any.
            if !listing.docker {
                let new: Vec<String> = found.names.into_iter().filter(|name| !known.names.contains(name)).collect();
                known.names.extend(new);
            }
            if known.manifest.is_none() {
                known.manifest = found.manifest;
            }
        }
        Ok(images)
    }

    /// The image of one entry; `None` if it is not there or no image, which was reported.
    ///
    /// # Errors
    /// Those of the report.
    pub fn image(&mut self, entry: &Listed) -> Result<Option<StoredImage>> {
        match entry {
            Listed::Docker(image) => self.docker_image(image),
            Listed::Oci(descriptor, name, may_lack) => self.oci_image(descriptor, name.as_deref(), *may_lack),
        }
    }

    fn index(&mut self, listing: &mut Listing) -> Result<()> {
        match self.parse::<Layout>("oci-layout", None)? {
            Some(layout) if layout.version != "1.0.0" => {
                self.fault(format!("`oci-layout` has the version `{}`; only 1.0.0 is supported", layout.version.escape_debug()))?;
            }
            _ => {}
        }
        let Some(index) = self.parse::<Index>("index.json", None)? else { return Ok(()) };
        if index.schema_version != 2 {
            self.fault(format!("`index.json` has schema version {} instead of 2", index.schema_version))?;
        }
        if index.manifests.is_empty() && !listing.docker {
            self.fault("`index.json` lists no images")?;
        }
        listing.annotations = index.annotations;
        let mut open: Vec<(Descriptor, Option<String>, bool)> =
            index.manifests.into_iter().rev().map(|descriptor| (descriptor, None, listing.docker)).collect();
        let mut seen = BTreeSet::new();
        while let Some((descriptor, name, may_lack)) = open.pop() {
            let annotation = |key| descriptor.annotations.get(key).cloned();
            let name = annotation(oci::IMAGE_NAME).or_else(|| annotation(oci::REF_NAME)).or(name);
            if seen.len() > MOST {
                return self.fault(format!("`index.json` leads to more than {MOST} manifests"));
            }
            if !seen.insert((descriptor.digest, name.clone())) {
                continue;
            }
            if !(descriptor.media_type.contains("index") || descriptor.media_type.contains("manifest.list")) {
                listing.entries.push(Listed::Oci(descriptor, name, may_lack));
            } else if self.is_there(&descriptor, may_lack)?
                && let Some(index) = self.parse::<Index>(&oci::blob_path(&descriptor.digest), Some(&descriptor.digest))?
            {
                open.extend(index.manifests.into_iter().rev().map(|inner| (inner, name.clone(), true)));
            }
        }
        Ok(())
    }

    fn docker_image(&mut self, image: &DockerImage) -> Result<Option<StoredImage>> {
        let shown = image.repo_tags.first().unwrap_or(&image.config);
        if !self.has(&image.config) {
            self.fault(format!("image `{shown}`: its config `{}` is missing", image.config.escape_debug()))?;
            return Ok(None);
        }
        let Some((config, bytes)) = self.read::<ImageConfig>(&image.config, None)? else { return Ok(None) };
        let layers = image.layers.iter().map(|path| StoredLayer { path: path.clone(), digest: None }).collect();
        self.whole(StoredImage {
            names: image.repo_tags.clone(),
            id: Digest::of(&bytes),
            config,
            config_bytes: bytes,
            layers,
            manifest: None,
        })
    }

    fn oci_image(&mut self, descriptor: &Descriptor, name: Option<&str>, may_lack: bool) -> Result<Option<StoredImage>> {
        if !self.is_there(descriptor, may_lack)? {
            return Ok(None);
        }
        let path = oci::blob_path(&descriptor.digest);
        let Some((manifest, bytes)) = self.read::<ImageManifest>(&path, Some(&descriptor.digest))? else { return Ok(None) };
        let shown = name.map_or_else(|| descriptor.digest.short(), str::to_owned);
        let is_config =
            matches!(manifest.config.media_type.as_str(), "" | oci::CONFIG | "application/vnd.docker.container.image.v1+json");
        let is_attestation = descriptor.platform.as_ref().is_some_and(|platform| platform.os == "unknown")
            || manifest.layers.iter().any(|layer| layer.media_type.contains("in-toto"));
        if !is_config || is_attestation {
            (self.report)(Finding::Note(format!("`{shown}` has an entry {} that is not an image", platform_of(descriptor))))?;
            return Ok(None);
        }
        for blob in manifest.layers.iter().chain([&manifest.config]) {
            self.is_whole(blob)?;
        }
        let path = oci::blob_path(&manifest.config.digest);
        if !self.has(&path) {
            self.fault(format!("image `{shown}`: `{path}` is missing"))?;
            return Ok(None);
        }
        let Some((config, config_bytes)) = self.read::<ImageConfig>(&path, Some(&manifest.config.digest))? else {
            return Ok(None);
        };
        let layer = |layer: &Descriptor| StoredLayer { path: oci::blob_path(&layer.digest), digest: Some(layer.digest) };
        let media_type = [&manifest.media_type, &descriptor.media_type].into_iter().find(|kind| !kind.is_empty());
        let image = StoredImage {
            names: name.map(str::to_owned).into_iter().collect(),
            id: manifest.config.digest,
            config,
            config_bytes,
            layers: manifest.layers.iter().map(layer).collect(),
            manifest: Some(StoredManifest {
                media_type: media_type.map_or(oci::MANIFEST, String::as_str).to_owned(),
                bytes,
                parsed: manifest,
            }),
        };
        let is = image.platform();
        if let Some(says) = &descriptor.platform
            && (&says.os, &says.architecture) != (&is.os, &is.architecture)
        {
            self.fault(format!("image `{shown}`: the index says {says}, but its config says {is}"))?;
        }
        self.whole(image)
    }

    fn whole(&mut self, image: StoredImage) -> Result<Option<StoredImage>> {
        let (there, said) = (image.layers.len(), image.config.rootfs.diff_ids.len());
        if there != said {
            self.fault(format!("image `{}`: it has {there} layers, but its config has {said}", image.shown()))?;
        }
        Ok(Some(image))
    }

    fn has(&self, path: &str) -> bool {
        self.members.size(path).is_some()
    }

    /// Docker with containerd names all platforms of an image, and saves those that it has.
    fn is_there(&mut self, descriptor: &Descriptor, may_lack: bool) -> Result<bool> {
        let path = oci::blob_path(&descriptor.digest);
        if self.has(&path) {
            self.is_whole(descriptor)?;
            return Ok(true);
        }
        (self.report)(if may_lack {
            Finding::Note(format!("the index lists {}, which is missing", platform_of(descriptor)))
        } else {
            Finding::Fault(format!("`{path}` of `index.json` is missing"))
        })?;
        Ok(false)
    }

    /// Whether a blob has the size that its descriptor says; one that is not there is asked for with its image.
    fn is_whole(&mut self, descriptor: &Descriptor) -> Result<()> {
        let path = oci::blob_path(&descriptor.digest);
        match self.members.size(&path) {
            Some(size) if size != descriptor.size => {
                self.fault(format!("`{path}` has {size} bytes, but its descriptor says {}", descriptor.size))
            }
            _ => Ok(()),
        }
    }

    fn parse<T: DeserializeOwned>(&mut self, path: &str, digest: Option<&Digest>) -> Result<Option<T>> {
        Ok(self.read(path, digest)?.map(|(value, _)| value))
    }

    fn read<T: DeserializeOwned>(&mut self, path: &str, digest: Option<&Digest>) -> Result<Option<(T, Vec<u8>)>> {
        match self.document(path, digest) {
            Ok(read) => Ok(Some(read)),
            Err(error) => self.fault(format!("{error:#}")).map(|()| None),
        }
    }

    fn document<T: DeserializeOwned>(&mut self, path: &str, digest: Option<&Digest>) -> Result<(T, Vec<u8>)> {
        ensure!(self.has(path), "`{}` is missing", path.escape_debug());
        let bytes = self.members.document(path)?;
        self.parsed += bytes.len() as u64;
        ensure!(
            self.parsed <= ALL_DOCUMENTS,
            "its documents refer to each other too often: the limit of {ALL_DOCUMENTS} bytes is reached"
        );
        let bytes = bytes.into_owned();
        if let Some(digest) = digest {
            let found = Digest::of(&bytes);
            ensure!(found == *digest, "the digest of `{path}` is {}, not the one in its name", found.hex());
        }
        match serde_json::from_slice(&bytes) {
            Ok(value) => Ok((value, bytes)),
            Err(error) => bail!("`{path}` is invalid: {error}"),
        }
    }

    fn fault(&mut self, fault: impl Into<String>) -> Result<()> {
        (self.report)(Finding::Fault(fault.into()))
    }
}

fn platform_of(descriptor: &Descriptor) -> String {
    descriptor.platform.as_ref().map_or_else(|| descriptor.digest.short(), ToString::to_string)
}
