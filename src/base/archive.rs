//! Bases from archives: `base = { archive = "…" }`, a docker archive, OCI layout or OCI archive of any tool, and `base = { image
//! = "…" }` once it is pulled.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use super::packed::{cached_facts, keep_facts, pack, unpacked};
use crate::app::{Base, BaseChoice, Facts, Target};
use crate::archive::gzip::Level;
use crate::archive::{Compression, decompressed};
use crate::diagnostic::Code;
use crate::digest::Digest;
use crate::fs::Pending;
use crate::oci::{self, History, ImageConfig};
use crate::registry::Reference;
use crate::segment::{Key, Packer, Segment};
use crate::store::{Archive, Documents as _, Listed, StoredImage, StoredLayer, Walk, strictly};

pub fn read(path: &Path, target: &Target, packer: &Packer) -> Result<Base> {
    let unpacked = unpacked(path, packer)?;
    let archive = Archive::open(unpacked.as_ref().map_or(path, Pending::path))?;
    let image = only(&archive, target)?;
    let reference = image.names.first().cloned();
    let base = base(&archive, image, BaseChoice::Archive(path.to_owned()), target, packer)?;
    Ok(Base { reference, ..base })
}

/// A pulled image.
#[derive(Clone, Debug)]
pub struct Pulled {
    /// The reference, as the user wrote it.
    pub reference: Reference,
    /// The digest that the reference resolved to: an index or a manifest.
    pub digest: Digest,
    /// The digest of the manifest for the target.
    pub manifest: Digest,
    /// The folder with its blobs, in the form of an OCI layout.
    pub folder: PathBuf,
}

/// Reads a pulled image.
///
/// # Errors
/// When a blob is missing or does not match its digest, or the image is for another platform.
pub fn read_pulled(pulled: &Pulled, target: &Target, packer: &Packer) -> Result<Base> {
    let archive = Archive::Folder(pulled.folder.clone());
    let mut report = strictly;
    let path = oci::blob_path(&pulled.manifest);
    let size = archive.size(&path).with_context(|| format!("its `{path}` is missing"))?;
    let image =
        Walk::new(&archive, &mut report).image(&Listed::manifest(pulled.manifest, size))?.context("it is not an image")?;
    let base = base(&archive, image, BaseChoice::Image(pulled.reference.clone()), target, packer)?;
    Ok(Base { reference: Some(pulled.reference.at(pulled.digest).to_string()), ..base })
}

/// The only image in an archive for a target.
fn only(archive: &Archive, target: &Target) -> Result<StoredImage> {
    let mut report = strictly;
    let mut walk = Walk::new(archive, &mut report);
    let listing = walk.list()?;
    // An image with several names is listed once for each.
    let mut by_digest: BTreeMap<Digest, &Listed> = BTreeMap::new();
    for (entry, descriptor) in listing.entries.iter().filter_map(|entry| Some((entry, entry.descriptor()?))) {
        by_digest.entry(descriptor.digest).or_insert(entry);
    }
    let entry = if listing.oci {
        let there = by_digest.len();
        match target.platform.nearest(by_digest.values().filter_map(|entry| entry.descriptor()))[..] {
            [only] => by_digest[&only.digest],
            [] => bail!(Code::BasePlatform.error(format!("none of its {there} images is for {}", target.platform))),
            ref several => bail!("it contains {} images for {} instead of one", several.len(), target.platform),
        }
    } else {
        let [entry] = &listing.entries[..] else { bail!("it contains {} images instead of one", listing.entries.len()) };
        entry
    };
    walk.image(entry)?.context("it is not an image")
}

/// Whether a layer is already packed, so that its blob is not needed.
pub fn has_layer(diff_id: &Digest, packer: &Packer) -> bool {
    packed(diff_id, packer).is_some()
}

/// A layer that is already packed. If its unpacked digest differs, an interrupted run kept it before checking.
fn packed(diff_id: &Digest, packer: &Packer) -> Option<(Segment, Facts)> {
    let segment = packer.cache().get(layer_key(diff_id, packer)).filter(|segment| segment.diff_id == *diff_id)?;
    let facts = cached_facts(packer, &segment)?;
    Some((segment, facts))
}

fn layer_key(diff_id: &Digest, packer: &Packer) -> Key {
    Key::of([&b"diff"[..], packer.level().name().as_bytes(), diff_id.hex().as_bytes()])
}

fn base(archive: &Archive, image: StoredImage, choice: BaseChoice, target: &Target, packer: &Packer) -> Result<Base> {
    let (platform, of_image) = (&target.platform, image.platform());
    ensure!(
        (&of_image.os, &of_image.architecture) == (&platform.os, &platform.architecture),
        Code::BasePlatform.error(format!(
            "its image is for {}/{}, but the target `{}` is for {platform}",
            of_image.os, of_image.architecture, target.triple
        ))
    );
    let mut layers = Vec::new();
    let mut facts = Facts::default();
    for (segment, of_layer) in read_layers(archive, &image, packer)? {
        facts.overlay(of_layer);
        layers.push(segment);
    }
    let history = steps(image.config.history, layers.len());
    let written = Some(String::from_utf8(image.config_bytes).context("its configuration is not UTF-8")?);
    Ok(Base { choice, layers, config: image.config.config, history, facts, reference: None, written })
}

fn read_layers(archive: &Archive, image: &StoredImage, packer: &Packer) -> Result<Vec<(Segment, Facts)>> {
    let layers = image.layers.iter().zip(&image.config.rootfs.diff_ids);
    let read = layers.map(|(layer, diff_id)| {
        read_layer(archive, layer, *diff_id, packer).with_context(|| format!("failed to read its layer `{}`", layer.path))
    });
    read.collect()
}

/// An image that was read before, if all its layers are still packed. The caller sets what else is known of it.
pub fn cached(config: ImageConfig, choice: BaseChoice, packer: &Packer) -> Option<Base> {
    let mut layers = Vec::new();
    let mut facts = Facts::default();
    for diff_id in &config.rootfs.diff_ids {
        let (segment, of_layer) = packed(diff_id, packer)?;
        facts.overlay(of_layer);
        layers.push(segment);
    }
    let history = steps(config.history, layers.len());
    Some(Base { choice, layers, config: config.config, history, facts, reference: None, written: None })
}

/// The images with these names and ids in an archive that an engine saved, in the order of `names`: config and layers.
///
/// # Errors
/// When an image is missing or damaged.
#[cfg(feature = "engine")]
pub fn read_saved(path: &Path, images: &[(String, String)], packer: &Packer) -> Result<Vec<(ImageConfig, Vec<Segment>)>> {
    let archive = Archive::open(path)?;
    let mut report = strictly;
    let mut walk = Walk::new(&archive, &mut report);
    let listing = walk.list()?;
    let mut read = Vec::new();
    for (name, id) in images {
        let id = id.trim_start_matches("sha256:");
        let is = |entry: &&Listed| entry.docker().is_some_and(|image| image.config.contains(id));
        let is_named = |tag: &String| tag == name || tag.ends_with(&format!("/{name}"));
        let named = |entry: &&Listed| entry.docker().is_some_and(|image| image.repo_tags.iter().any(is_named));
        let entry = listing.entries.iter().find(is).or_else(|| listing.entries.iter().find(named));
        let entry = entry.with_context(|| format!("the engine did not save the image `{name}`"))?;
        let image = walk.image(entry)?.with_context(|| format!("`{name}` is not an image"))?;
        let layers = read_layers(&archive, &image, packer)?.into_iter().map(|(segment, _)| segment).collect();
        read.push((image.config, layers));
    }
    Ok(read)
}

/// One history entry for each layer.
fn steps(history: Vec<History>, layers: usize) -> Vec<History> {
    let steps: Vec<History> = history.into_iter().filter(|step| !step.empty_layer).collect();
    if steps.len() == layers { steps } else { vec![History::default(); layers] }
}

/// gzip layers stay as they are, to keep their digests; `--compression best` repacks all.
fn read_layer(archive: &Archive, layer: &StoredLayer, diff_id: Digest, packer: &Packer) -> Result<(Segment, Facts)> {
    if let Some(known) = packed(&diff_id, packer) {
        return Ok(known);
    }
    let key = layer_key(&diff_id, packer);
    let from = archive.reader(&layer.path)?;
    let (segment, facts) = if archive.compression(&layer.path)? == Compression::Gzip && packer.level() != Level::Best {
        packer.adopt(key, layer.digest, from, |tar| Facts::read(tar))?
    } else {
        if let Some(digest) = layer.digest {
            let (found, _) = Digest::of_reader(archive.reader(&layer.path)?)?;
            ensure!(found == digest, "its digest is `{found}`");
        }
        pack(decompressed(from)?, |_| key, packer)?
    };
    if segment.diff_id != diff_id {
        packer.cache().remove(key);
        bail!("its unpacked digest is `{}` instead of `{diff_id}`", segment.diff_id);
    }
    keep_facts(packer, &segment, &facts)?;
    Ok((segment, facts))
}
