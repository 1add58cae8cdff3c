//! Reads the images of a bundle of any format, to load them into an engine.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Read, Seek as _, Write};
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

use super::head::{self, Opened};
use super::survey::images::FoundImages;
use super::survey::members::ImageMembers;
use crate::archive::{Budget, END_OF_ARCHIVE, TarReader, confined, decompressed, encode_file, padding};
use crate::diagnostic::Code;
use crate::digest::Digest;
use crate::mender;
use crate::oci::{DockerImage, ImageConfig};
use crate::store::{StoredImage, StoredLayer};

/// The contents of a bundle.
#[derive(Clone, Debug)]
pub struct Contents {
    /// Its images, in the bundle's order.
    pub images: Vec<BundledImage>,
    /// The compose file of an `.auterionos` file.
    pub compose: Option<String>,
}

/// An image in a bundle.
#[derive(Clone, Debug)]
pub struct BundledImage {
    /// Its names, `NAME:TAG` as Docker shows them.
    pub names: Vec<String>,
    /// The digest of the config.
    pub id: Digest,
    /// The config.
    pub config: ImageConfig,
    config_bytes: Vec<u8>,
    /// Its layers, lowest first.
    pub layers: Vec<BundledLayer>,
}

/// A layer in a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundledLayer {
    /// The digest of its stored bytes.
    pub digest: Digest,
    /// The number of its stored bytes.
    pub size: u64,
    /// The digest of the unpacked layer.
    pub diff_id: Digest,
    /// Its path in the archive.
    place: String,
}

/// Reads a whole bundle and checks its images, but does not unpack layers that are compressed separately.
///
/// # Errors
/// When it is not a bundle, or its images are damaged.
pub fn contents(path: &Path, read: &dyn Fn(u64)) -> Result<Contents> {
    let mut images = None;
    let compose = archive(path, read, &mut |stream| {
        // Layers are compared with the digests in their names. Engines check their unpacked digests against the config.
        images = Some(images_of(&ImageMembers::read(stream, &Budget::new(u64::MAX), None), path)?);
        Ok(())
    })?;
    Contents { images: images.unwrap_or_default(), compose }.checked(path)
}

/// The same without reading layers: if their names are their digests and they can be skipped by seeking, as in bundles written
/// here, they are trusted. `None` for other files.
///
/// # Errors
/// As [`contents`].
pub fn contents_by_name(path: &Path) -> Result<Option<Contents>> {
    let failed = || format!("failed to read `{}`", path.display());
    let mut file = std::fs::File::open(path).with_context(failed)?;
    let mut head = Vec::new();
    let is_plain = file.metadata()?.is_file()
        && Read::by_ref(&mut file).take(mender::HEAD).read_to_end(&mut head).is_ok()
        && TarReader::new(&head[..]).next_entry().is_ok_and(|entry| entry.is_some())
        && !mender::is_artifact(&head);
    if !is_plain {
        return Ok(None);
    }
    file.rewind()?;
    let images = images_of(&ImageMembers::sought(file).with_context(failed)?, path).with_context(failed)?;
    Contents { images, compose: None }.checked(path).map(Some)
}

impl Contents {
    fn checked(self, path: &Path) -> Result<Self> {
        ensure!(!self.images.is_empty(), Code::NotABundle.error(format!("`{}` contains no images", path.display())));
        Ok(self)
    }
}

fn images_of(members: &ImageMembers, path: &Path) -> Result<Vec<BundledImage>> {
    let mut found = FoundImages::resolve(members, false);
    let faults: Vec<String> =
        members.faults.clone().into_vec().into_iter().chain(std::mem::take(&mut found.faults).into_vec()).collect();
    if let Some(fault) = faults.first() {
        bail!(Code::BundleDamaged.error(format!(
            "its images are damaged: {fault}\nhelp: list all faults with `cargo appbundle verify {}`",
            path.display()
        )));
    }
    of(members, found)
}

fn of(members: &ImageMembers, found: FoundImages) -> Result<Vec<BundledImage>> {
    let places: BTreeMap<Digest, &String> = members.files().map(|(path, member)| (member.digest, path)).collect();
    let mut images = Vec::new();
    for image in found.list {
        let mut layers = Vec::new();
        for (StoredLayer { path, .. }, diff_id) in image.layers.iter().zip(&image.config.rootfs.diff_ids) {
            let member = members.get(path).with_context(|| format!("its layer `{path}` is missing"))?;
            let place = places.get(&member.digest).map_or_else(|| path.clone(), |place| (*place).clone());
            layers.push(BundledLayer { digest: member.digest, size: member.size, diff_id: *diff_id, place });
        }
        let names = image.names.iter().map(|name| short(name).to_owned()).collect();
        let StoredImage { id, config, config_bytes, .. } = image;
        images.push(BundledImage { names, id, config, config_bytes, layers });
    }
    Ok(images)
}

/// Removes what Docker adds to short names.
fn short(name: &str) -> &str {
    name.strip_prefix("docker.io/library/").or_else(|| name.strip_prefix("docker.io/")).unwrap_or(name)
}

/// Writes images of the bundle as a docker archive, without the layers in `known`.
///
/// # Errors
/// When the bundle has changed since it was read, or writing fails.
pub fn write_images(
    path: &Path,
    images: &[&BundledImage],
    known: &BTreeSet<Digest>,
    to: &mut dyn Write,
    written: &dyn Fn(u64),
) -> Result<()> {
    let name = |layer: &BundledLayer| format!("{}.tar", layer.digest.hex());
    let manifest: Vec<DockerImage> = images
        .iter()
        .map(|image| DockerImage {
            config: format!("{}.json", image.id.hex()),
            repo_tags: image.names.clone(),
            layers: image.layers.iter().map(name).collect(),
        })
        .collect();
    let mut document = |name: &str, bytes: &[u8]| -> Result<()> {
        to.write_all(&encode_file(name, 0o644, bytes.len() as u64, 0)?)?;
        to.write_all(bytes)?;
        Ok(to.write_all(padding(bytes.len() as u64))?)
    };
    document("manifest.json", &serde_json::to_vec(&manifest)?)?;
    let mut seen = BTreeSet::new();
    for image in images.iter().filter(|image| seen.insert(image.id)) {
        document(&format!("{}.json", image.id.hex()), &image.config_bytes)?;
    }
    let mut missing: BTreeMap<&str, &BundledLayer> = images
        .iter()
        .flat_map(|image| &image.layers)
        .filter(|layer| !known.contains(&layer.digest))
        .map(|layer| (layer.place.as_str(), layer))
        .collect();
    if !missing.is_empty() {
        archive(path, &|_| (), &mut |stream| {
            let mut tar = TarReader::new(decompressed(BufReader::with_capacity(1 << 18, stream))?);
            while let Some(entry) = tar.next_entry()? {
                let layer = confined(&entry.path).filter(|_| entry.is_file()).and_then(|path| missing.remove(path.as_str()));
                let Some(layer) = layer.filter(|layer| layer.size == entry.size) else { continue };
                to.write_all(&encode_file(&name(layer), 0o644, layer.size, 0)?)?;
                let mut buffer = vec![0; 1 << 18];
                loop {
                    let count = tar.read(&mut buffer)?;
                    if count == 0 {
                        break;
                    }
                    to.write_all(&buffer[..count])?;
                    written(count as u64);
                }
                to.write_all(padding(layer.size))?;
            }
            Ok(())
        })?;
    }
    ensure!(missing.is_empty(), "`{}` changed while it was being read", path.display());
    Ok(to.write_all(&END_OF_ARCHIVE)?)
}

/// Passes the image archive of a bundle to `see` as a stream; returns the compose file that an `.auterionos` file has next to it.
fn archive(path: &Path, read: &dyn Fn(u64), see: &mut dyn FnMut(&mut dyn Read) -> Result<()>) -> Result<Option<String>> {
    let failed = || format!("failed to read `{}`", path.display());
    let reader = match head::open(path, read)? {
        Opened::Archive(mut reader) => return see(&mut reader).with_context(failed).map(|()| None),
        Opened::Artifact(reader) => reader,
    };
    let (mut seen, mut compose) = (Ok(()), None);
    let reading = mender::read(reader, &Budget::new(u64::MAX), &mut |entry, stream| {
        if entry.path.ends_with(".image") && seen.is_ok() {
            seen = see(stream);
        } else if entry.path == "app.yml" {
            let mut text = String::new();
            let read = stream.take(1 << 20).read_to_string(&mut text);
            compose = read.is_ok().then_some(text);
        }
    });
    seen.with_context(failed)?;
    if let Some(fault) = reading.faults.clone().into_vec().first() {
        bail!(Code::BundleDamaged.error(format!(
            "`{0}` is damaged: {fault}\nhelp: list all faults with `cargo appbundle verify {0}`",
            path.display()
        )));
    }
    Ok(compose)
}
