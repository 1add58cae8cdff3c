//! Docker archives and OCI layouts in a tar.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use serde::de::DeserializeOwned;

use super::{LARGEST_DOCUMENT, Packed, image, name, no_images, pack, packer, platform};
use crate::archive::{Compression, decompressed, places};
use crate::bundle::outgoing::{Blob, Outgoing, Source};
use crate::digest::{Digest, Hasher, Summed};
use crate::oci::{self, Descriptor, DockerImage, ImageConfig, Index, Manifest};

/// Where each member's bytes are.
struct Members {
    path: PathBuf,
    places: BTreeMap<String, (u64, u64)>,
}

pub fn read(path: &Path, scratch: &Path) -> Result<Vec<Outgoing>> {
    let members = Members::read(path)?;
    if members.places.contains_key("index.json") {
        return members.of_layout();
    }
    if members.places.contains_key("manifest.json") {
        return members.of_docker(scratch);
    }
    bail!("it is no archive of images: it has no `manifest.json` and no `index.json`")
}

impl Members {
    fn read(path: &Path) -> Result<Self> {
        let places = places(File::open(path)?)?;
        Ok(Self { path: path.to_owned(), places })
    }

    fn source(&self, name: &str) -> Result<(Source, u64)> {
        let (offset, size) =
            self.places.get(name.trim_start_matches("./")).with_context(|| format!("its `{name}` is not there"))?;
        Ok((Source::Stretch(self.path.clone(), *offset, *size), *size))
    }

    fn bytes(&self, name: &str) -> Result<Vec<u8>> {
        let (source, size) = self.source(name)?;
        ensure!(size <= LARGEST_DOCUMENT, "its `{name}` has {size} bytes");
        let mut bytes = Vec::new();
        source.open()?.read_to_end(&mut bytes)?;
        ensure!(bytes.len() as u64 == size, "its `{name}` is cut short");
        Ok(bytes)
    }

    fn parse<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        serde_json::from_slice(&self.bytes(name)?).with_context(|| format!("its `{name}` is not what it should be"))
    }

    /// A blob of a layout; its length is compared, its sum by whoever takes it.
    fn blob(&self, descriptor: &Descriptor) -> Result<Blob> {
        let (source, size) = self.source(&oci::blob_path(&descriptor.digest))?;
        ensure!(size == descriptor.size, "its blob `{}` has {size} bytes, not {}", descriptor.digest, descriptor.size);
        Ok(Blob { descriptor: descriptor.clone(), source })
    }

    fn of_layout(&self) -> Result<Vec<Outgoing>> {
        let index: Index = self.parse("index.json")?;
        let slug = index.annotations.get("org.opencontainers.image.title").cloned().unwrap_or_default();
        let named = |descriptor: &Descriptor| {
            let annotation = |key| descriptor.annotations.get(key).cloned();
            annotation(oci::IMAGE_NAME).or_else(|| annotation(oci::REF_NAME))
        };
        let mut open: Vec<(Descriptor, Option<String>, u32)> =
            index.manifests.into_iter().rev().map(|d| (d.clone(), named(&d), 0)).collect();
        let mut all = Vec::new();
        while let Some((descriptor, reference, depth)) = open.pop() {
            ensure!(depth < 8, "its indexes lead too deep");
            let bytes = self.bytes(&oci::blob_path(&descriptor.digest))?;
            ensure!(Digest::of(&bytes) == descriptor.digest, "its manifest `{}` is damaged", descriptor.digest);
            if descriptor.media_type.contains("index") || descriptor.media_type.contains("manifest.list") {
                let inner: Index = serde_json::from_slice(&bytes).context("an index of it is not what it should be")?;
                open.extend(inner.manifests.into_iter().rev().map(|d| (d, reference.clone(), depth + 1)));
                continue;
            }
            if descriptor.platform.as_ref().is_some_and(|platform| platform.os == "unknown") {
                continue;
            }
            let manifest: Manifest = serde_json::from_slice(&bytes).context("a manifest of it is not what it should be")?;
            let reference = reference.with_context(|| format!("its image `{}` has no name", descriptor.digest))?;
            let config: ImageConfig = self.parse(&oci::blob_path(&manifest.config.digest))?;
            let (name, tag) = name(&reference, &slug)?;
            let blobs = manifest.layers.iter().chain([&manifest.config]).map(|blob| self.blob(blob)).collect::<Result<_>>()?;
            let media_type = if manifest.media_type.is_empty() { descriptor.media_type } else { manifest.media_type };
            all.push(Outgoing { name, tag, platform: platform(&config), media_type, manifest: bytes, blobs, mount: None });
        }
        if all.is_empty() { no_images() } else { Ok(all) }
    }

    fn of_docker(&self, scratch: &Path) -> Result<Vec<Outgoing>> {
        let images: Vec<DockerImage> = self.parse("manifest.json")?;
        let packer = packer(scratch);
        let mut packed: BTreeMap<(u64, u64), Packed> = BTreeMap::new();
        let mut all = Vec::new();
        for entry in images {
            let config = self.bytes(&entry.config)?;
            let mut layers = Vec::new();
            for path in &entry.layers {
                let place =
                    *self.places.get(path.trim_start_matches("./")).with_context(|| format!("its `{path}` is not there"))?;
                let layer = match packed.get(&place) {
                    Some(layer) => layer.clone(),
                    None => self.layer(place, &packer, scratch).with_context(|| format!("its layer `{path}` is damaged"))?,
                };
                packed.insert(place, layer.clone());
                layers.push(layer);
            }
            for reference in &entry.repo_tags {
                all.push(image(reference, "", config.clone(), &layers)?);
            }
        }
        if all.is_empty() { no_images() } else { Ok(all) }
    }

    /// gzip stays as it is; everything else is packed.
    fn layer(&self, (offset, size): (u64, u64), packer: &super::Packer, scratch: &Path) -> Result<Packed> {
        let open = || -> Result<_> {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(offset))?;
            Ok(BufReader::with_capacity(1 << 18, file.take(size)))
        };
        let mut head = Vec::new();
        open()?.take(Compression::HEAD).read_to_end(&mut head)?;
        if Compression::of(&head) != Compression::Gzip {
            return pack(packer, decompressed(open()?)?);
        }
        let mut sum = Hasher::default();
        let path = scratch.join(format!("{offset}.gz"));
        std::io::copy(&mut Summed::new(open()?, &mut sum), &mut File::create(&path)?)?;
        let (diff_id, _) = Digest::of_reader(decompressed(open()?)?)?;
        Ok(Packed { diff_id, digest: sum.finish(), size, path })
    }
}
