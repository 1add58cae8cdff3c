//! What a survey found, in the form in which it is printed as JSON. Keys are only ever added.

use std::collections::BTreeMap;

use serde::Serialize;

use super::image_executables::{self, ExecutableReport};
use super::images::FoundImages;
use super::layer_report::LayerReport;
use super::layouts::Layouts;
use super::members::{ImageMembers, MemberContent};
use super::packages::{self, ImagePackages};
use crate::digest::Digest;
use crate::store::StoredLayer;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// A Mender artifact for AuterionOS.
    Auterionos,
    /// What `docker save` writes.
    Docker,
    /// An OCI layout in a tar.
    Oci,
    /// Both at once, over the same blobs.
    DockerAndOci,
}

impl Format {
    /// The name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auterionos => "AuterionOS app",
            Self::Docker => "docker archive",
            Self::Oci => "OCI archive",
            Self::DockerAndOci => "docker and OCI archive",
        }
    }
}

/// What is in a bundle, and what is wrong with it. Sizes are in bytes.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Survey {
    /// What the file is.
    pub format: Format,
    /// The file's size.
    pub size: u64,
    /// The app's name: `AUTHOR.NAME` in an `.auterionos` file.
    pub name: Option<String>,
    /// The app's version.
    pub version: Option<String>,
    /// The tool that wrote it.
    pub made_by: Option<String>,
    /// When, as the file says.
    pub made_at: Option<String>,
    /// Device types that it may be installed on; `.auterionos` only.
    pub devices: Vec<String>,
    /// The `auterion-api-version`; `.auterionos` only.
    pub api_version: Option<u64>,
    /// Whether it carries a signature, which is not checked; `.auterionos` only.
    pub signed: bool,
    /// Files of the payload; `.auterionos` only.
    pub payload: Vec<PayloadFileReport>,
    /// The images in their order.
    pub images: Vec<ImageReport>,
    /// Each layer once, in the order of first use.
    pub layers: Vec<LayerReport>,
    /// What shared layers save.
    pub sharing: Sharing,
    /// What the same services come to in each layout; only of images that were made here, without an engine.
    pub layouts: Option<Layouts>,
    /// The Debian packages of the images that have dpkg's records.
    pub packages: Vec<ImagePackages>,
    /// The executables of images, if they were looked into; not for JSON.
    #[serde(skip)]
    pub executables: Vec<ExecutableReport>,
    /// The largest files of all layers, largest first.
    pub largest: Vec<LargeFile>,
    /// What is allowed and may surprise all the same.
    pub notes: Vec<String>,
    /// What is allowed, and costs more than it has to.
    pub warnings: Vec<String>,
    /// What is wrong; empty for a good file.
    pub faults: Vec<String>,
}

/// A file of an `.auterionos` payload.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PayloadFileReport {
    /// Its name.
    pub name: String,
    /// Its size.
    pub size: u64,
    /// Its sum.
    pub digest: Digest,
}

/// One image.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ImageReport {
    /// `NAME:TAG`.
    pub names: Vec<String>,
    /// The service that runs it; `.auterionos` only.
    pub service: Option<String>,
    /// All services that run it; `.auterionos` only.
    pub services: Vec<String>,
    /// Sum of its config.
    pub id: Digest,
    /// `linux/arm64`
    pub platform: String,
    /// The program and its fixed arguments.
    pub entrypoint: Vec<String>,
    /// Arguments that can be replaced.
    pub cmd: Vec<String>,
    /// `NAME=value`
    pub env: Vec<String>,
    /// `8080/tcp`
    pub ports: Vec<String>,
    /// User and group; `None` is root.
    pub user: Option<String>,
    /// Where it starts.
    pub working_dir: Option<String>,
    /// Sums of its unpacked layers, lowest first.
    pub layers: Vec<Digest>,
    /// Unpacked bytes of all its layers.
    pub unpacked: u64,
}

/// What it saves that images have layers in common.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Sharing {
    /// Unpacked bytes of all images, each for itself.
    pub separate: u64,
    /// Unpacked bytes with each layer once.
    pub stored: u64,
    /// The difference.
    pub saved: u64,
    /// The difference in this file, where the layers' packed sizes can be told.
    pub saved_packed: Option<u64>,
}

/// A file in a layer.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LargeFile {
    /// Its path in the image.
    pub path: String,
    /// Its size.
    pub size: u64,
    /// The layer's `diff-id`.
    pub layer: Digest,
}

impl Survey {
    /// A survey that found nothing yet.
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            size: 0,
            name: None,
            version: None,
            made_by: None,
            made_at: None,
            devices: Vec::new(),
            api_version: None,
            signed: false,
            payload: Vec::new(),
            images: Vec::new(),
            layers: Vec::new(),
            sharing: Sharing::default(),
            layouts: None,
            packages: Vec::new(),
            executables: Vec::new(),
            largest: Vec::new(),
            notes: Vec::new(),
            warnings: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Puts the images in, and what follows from them.
    pub(super) fn describe(&mut self, images: &FoundImages, members: &ImageMembers, keep: usize) {
        let mut places: BTreeMap<Digest, usize> = BTreeMap::new();
        let mut packed_saved = Some(0u64);
        for (at, found) in images.list.iter().enumerate() {
            let mut unpacked = 0u64;
            for (StoredLayer { path, .. }, diff_id) in found.layers.iter().zip(&found.config.rootfs.diff_ids) {
                let known = places.contains_key(diff_id);
                let place = *places.entry(*diff_id).or_insert(self.layers.len());
                if !known {
                    self.layers.push(layer(*diff_id, path, members));
                    self.largest.extend(largest(*diff_id, path, members));
                    if self.largest.len() > 2 * keep + 1000 {
                        self.keep_largest(keep);
                    }
                }
                let layer = &mut self.layers[place];
                if layer.images.last() != Some(&at) {
                    layer.images.push(at);
                }
                unpacked = unpacked.saturating_add(layer.unpacked);
                if known {
                    packed_saved = packed_saved.zip(layer.packed).map(|(sum, more)| sum.saturating_add(more));
                }
            }
            self.sharing.separate = self.sharing.separate.saturating_add(unpacked);
            let run = &found.config.config;
            self.images.push(ImageReport {
                names: found.names.clone(),
                service: None,
                services: Vec::new(),
                id: found.id,
                platform: found.platform().to_string(),
                entrypoint: run.entrypoint.clone(),
                cmd: run.cmd.clone(),
                env: run.env.clone(),
                ports: run.exposed_ports.keys().cloned().collect(),
                user: run.user.clone().filter(|user| !user.is_empty()),
                working_dir: run.working_dir.clone().filter(|folder| !folder.is_empty()),
                layers: found.config.rootfs.diff_ids.clone(),
                unpacked,
            });
        }
        self.sharing.stored = self.layers.iter().fold(0, |sum, layer| sum.saturating_add(layer.unpacked));
        self.sharing.saved = self.sharing.separate.saturating_sub(self.sharing.stored);
        self.sharing.saved_packed = packed_saved;
        self.layouts = Layouts::of(images, &self.layers);
        self.packages = packages::of_images(images, members);
        self.executables = image_executables::of_images(images, members);
        self.warnings = members.repeated_layers().into_vec();
        self.keep_largest(keep);
    }

    fn keep_largest(&mut self, keep: usize) {
        self.largest.sort_by(|a, b| b.size.cmp(&a.size).then_with(|| a.path.cmp(&b.path)));
        self.largest.truncate(keep);
    }
}

fn layer(diff_id: Digest, path: &str, members: &ImageMembers) -> LayerReport {
    let absent =
        LayerReport { diff_id, present: false, unpacked: 0, packed: None, compression: "none", files: 0, images: Vec::new() };
    let Some(member) = members.get(path) else { return absent };
    let MemberContent::Layer(found) = &member.content else {
        return LayerReport { present: true, unpacked: member.size, ..absent };
    };
    LayerReport {
        present: true,
        unpacked: found.size,
        packed: member.packed.or(Some(member.size)),
        compression: found.compression.name(),
        files: found.files,
        ..absent
    }
}

fn largest(diff_id: Digest, path: &str, members: &ImageMembers) -> Vec<LargeFile> {
    let Some(MemberContent::Layer(found)) = members.get(path).map(|member| &member.content) else { return Vec::new() };
    let file = |(size, path): &(u64, String)| LargeFile { path: path.clone(), size: *size, layer: diff_id };
    found.largest.iter().map(file).collect()
}
