//! From an archive's documents to its images: docker's `manifest.json`, and OCI's `index.json` (image-layout.md).

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;

use super::members::{Content, Member, Members};
use crate::app::ImageRef;
use crate::archive::Compression;
use crate::digest::Digest;
use crate::mender::Faults;
use crate::oci::{self, Descriptor, DockerImage, ImageConfig, Index, Layout, Manifest};

/// Indexes and manifests that are followed.
const MOST: usize = 10_000;

/// Bytes of documents that are parsed, each as often as it is referred to.
const PARSED: u64 = 64 << 20;

/// The images of an archive, and what is wrong with them.
#[derive(Debug, Default)]
pub struct Images {
    /// In the archive's order.
    pub list: Vec<Found>,
    /// `manifest.json` was there.
    pub docker: bool,
    /// `index.json` was there.
    pub oci: bool,
    /// Notes of `index.json`.
    pub annotations: BTreeMap<String, String>,
    /// What is wrong.
    pub faults: Faults,
    /// What is allowed and may surprise all the same.
    pub notes: Vec<String>,
    parsed: u64,
}

/// One image.
#[derive(Debug)]
pub struct Found {
    /// `NAME:TAG`, as many as it has.
    pub names: Vec<String>,
    /// Sum of its config.
    pub id: Digest,
    /// Its config.
    pub config: ImageConfig,
    /// Per layer, lowest first: where it stands, if it does.
    pub layers: Vec<String>,
}

impl Found {
    /// A name for people.
    pub fn shown(&self) -> String {
        self.names.first().cloned().unwrap_or_else(|| self.id.short())
    }
}

impl Images {
    /// Finds all images. `may_lack` says that layers may be missing: whoever reads on judges that.
    pub fn resolve(members: &Members, may_lack: bool) -> Self {
        let mut images = Self::default();
        for (path, member) in members.files() {
            let named = path.strip_prefix("blobs/sha256/").or_else(|| path.strip_suffix(".json")).and_then(Digest::from_hex);
            if named.is_some_and(|digest| digest != member.digest) {
                images.faults.add(format!("`{path}` has the sum {} instead of the one in its name", member.digest.hex()));
            }
        }
        images.docker(members);
        images.oci(members);
        if !images.docker && !images.oci {
            images.faults.add("there is neither a `manifest.json` (docker) nor an `index.json` (OCI) in it");
        }
        let mut tags: BTreeMap<String, (Digest, String)> = BTreeMap::new();
        for image in &images.list {
            check(image, members, may_lack, &mut images.faults);
            for name in &image.names {
                let platform = platform(&image.config);
                let other = tags.insert(ImageRef::canonical_of(name), (image.id, platform.clone()));
                if other.is_some_and(|(id, on)| id != image.id && on == platform) {
                    images.faults.add(format!("two images are named `{name}`"));
                }
            }
        }
        if images.docker || images.oci {
            images.unused(members);
        }
        if !members.whole {
            // What seems wrong may only not have been reached.
            images.faults = Faults::default();
        }
        images
    }

    fn docker(&mut self, members: &Members) {
        if members.get("manifest.json").is_none() {
            return;
        }
        self.docker = true;
        let Some(entries) = self.parse::<Vec<DockerImage>>(members, "manifest.json") else { return };
        if entries.is_empty() {
            self.faults.add("`manifest.json` names no image");
        }
        for entry in entries {
            for name in &entry.repo_tags {
                if let Err(error) = ImageRef::parse(name) {
                    self.faults.add(format!("`manifest.json`: {error}"));
                }
            }
            let shown = entry.repo_tags.first().cloned().unwrap_or_else(|| entry.config.clone());
            let Some(member) = members.get(&entry.config) else {
                self.faults.add(format!("image `{shown}`: its config `{}` is not there", entry.config.escape_debug()));
                continue;
            };
            let id = member.digest;
            let Some(config) = self.parse(members, &entry.config) else { continue };
            self.list.push(Found { names: entry.repo_tags, id, config, layers: entry.layers });
        }
    }

    fn oci(&mut self, members: &Members) {
        if members.get("index.json").is_none() {
            if members.get("oci-layout").is_some() && !self.docker {
                self.oci = true;
                self.faults.add("there is an `oci-layout`, but no `index.json`");
            }
            return;
        }
        self.oci = true;
        match self.parse::<Layout>(members, "oci-layout") {
            Some(layout) if layout.version != "1.0.0" => {
                self.faults.add(format!("`oci-layout` has version `{}`; 1.0.0 is known", layout.version.escape_debug()));
            }
            _ => {}
        }
        let Some(index) = self.parse::<Index>(members, "index.json") else { return };
        if index.schema_version != 2 {
            self.faults.add(format!("`index.json` has schema version {} instead of 2", index.schema_version));
        }
        if index.manifests.is_empty() && !self.docker {
            self.faults.add("`index.json` names no image");
        }
        self.annotations = index.annotations;
        let mut open: Vec<(Descriptor, Option<String>, bool)> =
            index.manifests.into_iter().rev().map(|descriptor| (descriptor, None, false)).collect();
        let mut seen = BTreeSet::new();
        while let Some((descriptor, name, nested)) = open.pop() {
            let annotation = |key| descriptor.annotations.get(key).cloned();
            let name = annotation(oci::IMAGE_NAME).or_else(|| annotation(oci::REF_NAME)).or(name);
            if seen.len() > MOST {
                self.faults.add(format!("`index.json` leads to more than {MOST} manifests"));
                break;
            }
            if !seen.insert((descriptor.digest, name.clone())) {
                continue;
            }
            let path = oci::blob_path(&descriptor.digest);
            let Some(member) = members.get(&path) else {
                // Docker with containerd names all platforms of an image and saves those that it has.
                if nested || self.docker {
                    self.note(format!("the index names {}, which is not there", platform_of(&descriptor)));
                } else {
                    self.faults.add(format!("`{path}` of `index.json` is not there"));
                }
                continue;
            };
            self.sizes(&descriptor, &path, member);
            let is_index = descriptor.media_type.contains("index") || descriptor.media_type.contains("manifest.list");
            if is_index {
                let Some(index) = self.parse::<Index>(members, &path) else { continue };
                open.extend(index.manifests.into_iter().rev().map(|inner| (inner, name.clone(), true)));
            } else if let Some(manifest) = self.parse::<Manifest>(members, &path) {
                self.manifest(members, &descriptor, manifest, name);
            }
        }
        if self.list.is_empty() && self.faults.is_empty() {
            self.faults.add("`index.json` leads to no image");
        }
    }

    fn manifest(&mut self, members: &Members, descriptor: &Descriptor, manifest: Manifest, name: Option<String>) {
        let shown = name.clone().unwrap_or_else(|| descriptor.digest.short());
        let blobs = std::iter::once(&manifest.config).chain(&manifest.layers);
        for blob in blobs {
            let path = oci::blob_path(&blob.digest);
            match members.get(&path) {
                Some(member) => {
                    self.sizes(blob, &path, member);
                    self.media_type(blob, &path, member);
                }
                // The layers of an image are asked for with the image.
                None if self.docker || blob.digest == manifest.config.digest => {
                    self.faults.add(format!("image `{shown}`: `{path}` is not there"));
                }
                None => {}
            }
        }
        let is_image =
            matches!(manifest.config.media_type.as_str(), "" | oci::CONFIG | "application/vnd.docker.container.image.v1+json");
        let is_attestation = descriptor.platform.as_ref().is_some_and(|p| p.os == "unknown")
            || manifest.layers.iter().any(|layer| layer.media_type.contains("in-toto"));
        if !is_image || is_attestation {
            self.note(format!("`{shown}` holds {} that is no image", platform_of(descriptor)));
            return;
        }
        if let Some(known) = self.list.iter_mut().find(|image| image.id == manifest.config.digest) {
            if let Some(name) = name
                && !self.docker
                && !known.names.contains(&name)
            {
                known.names.push(name);
            }
            return;
        }
        let path = oci::blob_path(&manifest.config.digest);
        let Some(config) = self.parse::<ImageConfig>(members, &path) else { return };
        if let Some(says) = &descriptor.platform
            && (says.os != config.os || says.architecture != config.architecture)
        {
            let is = platform(&config);
            self.faults.add(format!("image `{shown}`: the index says {says}, its config {is}"));
        }
        let layers = manifest.layers.iter().map(|layer| oci::blob_path(&layer.digest)).collect();
        self.list.push(Found { names: name.into_iter().collect(), id: manifest.config.digest, config, layers });
    }

    fn sizes(&mut self, descriptor: &Descriptor, path: &str, member: &Member) {
        if member.size != descriptor.size {
            self.faults.add(format!("`{path}` has {} bytes, its descriptor says {}", member.size, descriptor.size));
        }
    }

    fn media_type(&mut self, blob: &Descriptor, path: &str, member: &Member) {
        let Content::Layer(layer) = &member.content else { return };
        let says = match blob.media_type.as_str() {
            kind if kind.ends_with("+gzip") || kind.ends_with(".tar.gzip") => Compression::Gzip,
            kind if kind.ends_with("+zstd") => Compression::Zstd,
            kind if kind.ends_with(".tar") => Compression::None,
            _ => return,
        };
        if says != layer.compression {
            let is = layer.compression.name();
            self.faults.add(format!("`{path}` is called `{}`, but its compression is {is}", blob.media_type));
        }
    }

    fn parse<T: DeserializeOwned>(&mut self, members: &Members, path: &str) -> Option<T> {
        let Some(bytes) = members.document(path) else {
            self.faults.add(if members.get(path).is_some() {
                format!("`{path}` is not JSON, or too large")
            } else {
                format!("`{path}` is not there")
            });
            return None;
        };
        self.parsed += bytes.len() as u64;
        if self.parsed > PARSED {
            self.faults.add(format!("its documents refer to one another too often: {PARSED} bytes were read, no more are"));
            return None;
        }
        match serde_json::from_slice(bytes) {
            Ok(value) => Some(value),
            Err(error) => {
                self.faults.add(format!("`{path}` is not what it should be: {error}"));
                None
            }
        }
    }

    fn note(&mut self, note: String) {
        if self.notes.len() < 100 && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn unused(&mut self, members: &Members) {
        let used: BTreeSet<Digest> =
            self.list.iter().flat_map(|image| &image.layers).filter_map(|path| members.get(path)).map(|m| m.digest).collect();
        let unused: Vec<u64> = members
            .files()
            .filter(|(_, member)| matches!(member.content, Content::Layer(_)) && !used.contains(&member.digest))
            .map(|(_, member)| member.size)
            .collect();
        if !unused.is_empty() {
            self.note(format!("{} layers of {} bytes belong to no image", unused.len(), unused.iter().sum::<u64>()));
        }
    }
}

fn check(image: &Found, members: &Members, may_lack: bool, faults: &mut Faults) {
    let shown = image.shown();
    let config = &image.config;
    if config.os.is_empty() || config.architecture.is_empty() {
        faults.add(format!("image `{shown}`: its config does not say what it runs on"));
    }
    if config.rootfs.kind != "layers" {
        faults.add(format!("image `{shown}`: its root file system is `{}` instead of layers", config.rootfs.kind.escape_debug()));
    }
    let diff_ids = &config.rootfs.diff_ids;
    if diff_ids.len() != image.layers.len() {
        faults.add(format!("image `{shown}`: it has {} layers, its config has {}", image.layers.len(), diff_ids.len()));
    }
    let steps = config.history.iter().filter(|step| !step.empty_layer).count();
    if !config.history.is_empty() && steps != diff_ids.len() {
        faults.add(format!("image `{shown}`: its history has {steps} layers, its config has {}", diff_ids.len()));
    }
    for (at, path) in image.layers.iter().enumerate() {
        let Some(member) = members.get(path) else {
            if !may_lack {
                faults.add(format!("image `{shown}`: its layer `{}` is not there", path.escape_debug()));
            }
            continue;
        };
        let Content::Layer(layer) = &member.content else {
            faults.add(format!("image `{shown}`: its layer `{path}` is not a tar"));
            continue;
        };
        if let (Some(diff_id), Some(found)) = (diff_ids.get(at), layer.diff_id)
            && *diff_id != found
        {
            faults.add(format!(
                "image `{shown}`: its layer `{path}` has the unpacked sum {}, its config says {}",
                found.hex(),
                diff_id.hex()
            ));
        }
    }
}

/// `linux/arm64`
pub fn platform(config: &ImageConfig) -> String {
    let (os, architecture, variant) = (config.os.clone(), config.architecture.clone(), config.variant.clone());
    oci::Platform { architecture, os, variant }.to_string()
}

fn platform_of(descriptor: &Descriptor) -> String {
    descriptor.platform.as_ref().map_or_else(|| descriptor.digest.short(), ToString::to_string)
}
