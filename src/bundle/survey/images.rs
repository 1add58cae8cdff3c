//! The images of an archive that was read, and all that is wrong with them.

use std::collections::{BTreeMap, BTreeSet};

use super::members::{ImageMembers, MemberContent};
use crate::app::ImageRef;
use crate::archive::Compression;
use crate::digest::Digest;
use crate::mender::Faults;
use crate::oci::{self, Descriptor};
use crate::store::{Finding, Listed, Listing, StoredImage, StoredLayer, Walk};

/// Notes that are told.
const MOST_NOTES: usize = 100;

/// The images of an archive, and what is wrong with them.
#[derive(Debug, Default)]
pub struct FoundImages {
    /// In the archive's order.
    pub list: Vec<StoredImage>,
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
}

impl FoundImages {
    /// Finds all images. With `may_lack`, missing layers are no fault here; the caller judges them.
    pub fn resolve(members: &ImageMembers, may_lack: bool) -> Self {
        let mut images = Self::default();
        for (path, member) in members.files() {
            let named = path.strip_prefix("blobs/sha256/").or_else(|| path.strip_suffix(".json")).and_then(Digest::from_hex);
            if named.is_some_and(|digest| digest != member.digest) {
                images.faults.add(format!("the digest of `{path}` is {}, not the one in its name", member.digest.hex()));
            }
        }
        let Listing { docker, oci, annotations, .. } = images.walk(members);
        (images.docker, images.oci, images.annotations) = (docker, oci, annotations);
        let mut tags: BTreeMap<String, (Digest, String)> = BTreeMap::new();
        for image in &images.list {
            check(image, members, may_lack, &mut images.faults);
            for name in &image.names {
                let platform = image.platform().to_string();
                let other = tags.insert(ImageRef::canonical_of(name), (image.id, platform.clone()));
                if other.is_some_and(|(id, on)| id != image.id && on == platform) {
                    images.faults.add(format!("two images are named `{name}`"));
                }
            }
        }
        if docker || oci {
            images.unused(members);
        }
        if !members.whole {
            // What seems wrong may only not have been reached.
            images.faults = Faults::default();
        }
        images
    }

    fn walk(&mut self, members: &ImageMembers) -> Listing {
        let (faults, notes) = (&mut self.faults, &mut self.notes);
        let mut report = |finding| {
            match finding {
                Finding::Fault(fault) => faults.add(fault),
                Finding::Note(note) if notes.len() < MOST_NOTES && !notes.contains(&note) => notes.push(note),
                Finding::Note(_) => {}
            }
            Ok(())
        };
        let mut walk = Walk::new(members, &mut report);
        // Nothing ends this walk early.
        let listing = walk.list().unwrap_or_default();
        self.list = walk.images(&listing).unwrap_or_default();
        for entry in &listing.entries {
            if let Listed::Docker(image) = entry {
                for error in image.repo_tags.iter().filter_map(|name| ImageRef::parse(name).err()) {
                    self.faults.add(format!("`manifest.json`: {error}"));
                }
            }
        }
        if listing.oci && self.list.is_empty() && self.faults.is_empty() {
            self.faults.add("`index.json` does not lead to an image");
        }
        listing
    }

    fn unused(&mut self, members: &ImageMembers) {
        let used: BTreeSet<Digest> = self
            .list
            .iter()
            .flat_map(|image| &image.layers)
            .filter_map(|layer| members.get(&layer.path))
            .map(|m| m.digest)
            .collect();
        let unused: Vec<u64> = members
            .files()
            .filter(|(_, member)| matches!(member.content, MemberContent::Layer(_)) && !used.contains(&member.digest))
            .map(|(_, member)| member.size)
            .collect();
        if !unused.is_empty() {
            let bytes = unused.iter().sum::<u64>();
            self.notes.push(format!("no image uses {} of the layers ({bytes} bytes)", unused.len()));
        }
    }
}

fn check(image: &StoredImage, members: &ImageMembers, may_lack: bool, faults: &mut Faults) {
    let shown = image.shown();
    let config = &image.config;
    if config.os.is_empty() || config.architecture.is_empty() {
        faults.add(format!("image `{shown}`: its config names no platform"));
    }
    if config.rootfs.kind != "layers" {
        faults.add(format!(
            "image `{shown}`: the type of its root file system is `{}` instead of `layers`",
            config.rootfs.kind.escape_debug()
        ));
    }
    let diff_ids = &config.rootfs.diff_ids;
    let steps = config.history.iter().filter(|step| !step.empty_layer).count();
    if !config.history.is_empty() && steps != diff_ids.len() {
        faults.add(format!("image `{shown}`: its history has {steps} layers, but its config has {}", diff_ids.len()));
    }
    for (at, StoredLayer { path, .. }) in image.layers.iter().enumerate() {
        let Some(member) = members.get(path) else {
            if !may_lack {
                faults.add(format!("image `{shown}`: its layer `{}` is missing", path.escape_debug()));
            }
            continue;
        };
        let MemberContent::Layer(layer) = &member.content else {
            faults.add(format!("image `{shown}`: its layer `{path}` is not a tar"));
            continue;
        };
        if let (Some(diff_id), Some(found)) = (diff_ids.get(at), layer.diff_id)
            && *diff_id != found
        {
            faults.add(format!(
                "image `{shown}`: its layer `{path}` has the unpacked digest {}, but its config says {}",
                found.hex(),
                diff_id.hex()
            ));
        }
    }
    let Some(manifest) = &image.manifest else { return };
    for blob in &manifest.parsed.layers {
        let path = oci::blob_path(&blob.digest);
        match members.get(&path).map(|member| &member.content) {
            Some(MemberContent::Layer(layer)) => faults.extend(misnamed(blob, layer.compression)),
            Some(_) => {}
            // Where the layers are OCI's, this was asked above.
            None if may_lack || image.layers.first().is_some_and(|layer| layer.digest.is_some()) => {}
            None => faults.add(format!("image `{shown}`: `{path}` is missing")),
        }
    }
}

/// What is wrong with the name that a manifest has for a layer's form.
fn misnamed(blob: &Descriptor, compression: Compression) -> Option<String> {
    let says = match blob.media_type.as_str() {
        kind if kind.ends_with("+gzip") || kind.ends_with(".tar.gzip") => Compression::Gzip,
        kind if kind.ends_with("+zstd") => Compression::Zstd,
        kind if kind.ends_with(".tar") => Compression::None,
        _ => return None,
    };
    let path = oci::blob_path(&blob.digest);
    (says != compression)
        .then(|| format!("the media type of `{path}` is `{}`, but its compression is {}", blob.media_type, compression.name()))
}
