//! Docker archives and OCI layouts in a tar.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use super::packed::{Packed, image, name, no_images, pack, packer};
use crate::archive::{Compression, decompressed};
use crate::bundle::outgoing::{Blob, BlobSource, Outgoing};
use crate::digest::{Digest, Hasher, Summed};
use crate::oci::{self, Descriptor};
use crate::segment::Packer;
use crate::store::{Archive, StoredImage, StoredLayer, StoredManifest, Walk, strictly};

/// Reads the images; `slug` is the app's name where the archive does not have it.
pub fn read(path: &Path, scratch: &Path, slug: &str) -> Result<Vec<Outgoing>> {
    let archive = Archive::open(path)?;
    let mut report = strictly;
    let mut walk = Walk::new(&archive, &mut report);
    let listing = walk.list()?;
    let slug = listing.annotations.get("org.opencontainers.image.title").map_or(slug, String::as_str);
    let mut layers = Layers { archive: &archive, packer: packer(scratch), scratch, packed: BTreeMap::new() };
    let mut all = Vec::new();
    for stored in walk.images(&listing)? {
        ensure!(!stored.names.is_empty(), "its image `{}` has no name", stored.shown());
        match &stored.manifest {
            Some(manifest) => all.extend(of_layout(&archive, &stored, manifest, slug)?),
            None => all.extend(layers.of_docker(&stored, slug)?),
        }
    }
    if all.is_empty() { no_images() } else { Ok(all) }
}

/// An image of an OCI layout: its manifest and blobs as they are.
fn of_layout(archive: &Archive, stored: &StoredImage, manifest: &StoredManifest, slug: &str) -> Result<Vec<Outgoing>> {
    // Only lengths were compared; whoever reads the blobs compares their digests.
    let blob = |descriptor: &Descriptor| {
        let path = oci::blob_path(&descriptor.digest);
        let (file, offset, size) = archive.place(&path).with_context(|| format!("its `{path}` is missing"))?;
        Ok(Blob { descriptor: descriptor.clone(), source: BlobSource::Stretch(file, offset, size) })
    };
    let parsed = &manifest.parsed;
    let blobs: Vec<Blob> = parsed.layers.iter().chain([&parsed.config]).map(blob).collect::<Result<_>>()?;
    let outgoing = |reference: &String| {
        let (name, tag) = name(reference, slug)?;
        let (platform, media_type) = (stored.platform().to_string(), manifest.media_type.clone());
        Ok(Outgoing { name, tag, platform, media_type, manifest: manifest.bytes.clone(), blobs: blobs.clone(), mount: None })
    };
    stored.names.iter().map(outgoing).collect()
}

/// Layers of docker's, each packed once.
struct Layers<'a> {
    archive: &'a Archive,
    packer: Packer,
    scratch: &'a Path,
    packed: BTreeMap<(PathBuf, u64), Packed>,
}

impl Layers<'_> {
    fn of_docker(&mut self, stored: &StoredImage, slug: &str) -> Result<Vec<Outgoing>> {
        let mut layers = Vec::new();
        for StoredLayer { path, .. } in &stored.layers {
            let (file, offset, size) =
                self.archive.place(path).with_context(|| format!("its `{}` is missing", path.escape_debug()))?;
            let place = (file, offset);
            let layer = match self.packed.get(&place) {
                Some(layer) => layer.clone(),
                None => self.layer(path, offset, size).with_context(|| format!("its layer `{path}` is damaged"))?,
            };
            self.packed.insert(place, layer.clone());
            layers.push(layer);
        }
        stored.names.iter().map(|reference| image(reference, slug, stored, &layers)).collect()
    }

    /// gzip stays as it is; everything else is packed.
    fn layer(&self, path: &str, offset: u64, size: u64) -> Result<Packed> {
        let open = || self.archive.reader(path);
        if self.archive.compression(path)? != Compression::Gzip {
            return pack(&self.packer, decompressed(open()?)?);
        }
        let mut sum = Hasher::default();
        let path = self.scratch.join(format!("{offset}.gz"));
        std::io::copy(&mut Summed::new(open()?, &mut sum), &mut File::create(&path)?)?;
        let (diff_id, _) = Digest::of_reader(decompressed(open()?)?)?;
        Ok(Packed { diff_id, digest: sum.finish(), size, path })
    }
}
