//! `base = { archive = "…" }`: a docker archive, an OCI layout, or an OCI archive that others wrote; `base = { image = "…" }`:
//! the same once it is pulled.

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use super::{cached_facts, is_compressed, keep_facts, pack, unpack};
use crate::app::{Base, BaseChoice, Facts, Target};
use crate::archive::gzip::Level;
use crate::archive::{Compression, confined, decompressed, places};
use crate::digest::Digest;
use crate::oci::{self, Descriptor, DockerImage, History, ImageConfig, Index, Manifest};
use crate::registry::Reference;
use crate::segment::{Key, Packer, Segment};

/// Documents larger than this are not read.
const LARGEST_DOCUMENT: u64 = 8 << 20;

/// Names under which blobs and documents are found.
enum Store {
    /// An OCI layout that is a folder.
    Folder(PathBuf),
    /// A tar: where each member's bytes are; a link's entry is its target's.
    Tar(PathBuf, BTreeMap<String, (u64, u64)>),
}

/// One image: its config, and the name and sum of each layer.
struct Found {
    config: ImageConfig,
    layers: Vec<(String, Option<Digest>)>,
    reference: Option<String>,
}

pub fn read(path: &Path, target: &Target, packer: &Packer) -> Result<Base> {
    let unpacked;
    let file = if path.is_file() && is_compressed(path)? {
        unpacked = unpack(path, packer)?;
        unpacked.path().to_owned()
    } else {
        path.to_owned()
    };
    let store = Store::open(&file)?;
    let found = store.image(target)?;
    base(&store, found, BaseChoice::Archive(path.to_owned()), target, packer)
}

/// An image that was pulled.
#[derive(Clone, Debug)]
pub struct Pulled {
    /// As the user wrote it.
    pub reference: Reference,
    /// What it led to: an index, or a manifest.
    pub digest: Digest,
    /// The manifest for the target.
    pub manifest: Digest,
    /// Its blobs lie there as in an OCI layout.
    pub folder: PathBuf,
}

/// Reads an image that was pulled.
///
/// # Errors
/// When a blob is not there or not what its digest says, or the image is for another platform.
pub fn read_pulled(pulled: &Pulled, target: &Target, packer: &Packer) -> Result<Base> {
    let store = Store::Folder(pulled.folder.clone());
    let mut found = store.image_of_manifest(&pulled.manifest)?;
    found.reference = Some(pulled.reference.at(pulled.digest).to_string());
    base(&store, found, BaseChoice::Image(pulled.reference.clone()), target, packer)
}

/// Whether a layer is packed already, so that its blob is not needed.
pub fn has_layer(diff_id: &Digest, packer: &Packer) -> bool {
    packed(diff_id, packer).is_some()
}

/// A layer that is packed already. One whose unpacked bytes are others was kept by a run that was ended before it saw that.
fn packed(diff_id: &Digest, packer: &Packer) -> Option<(Segment, Facts)> {
    let segment = packer.cache().get(layer_key(diff_id, packer)).filter(|segment| segment.diff_id == *diff_id)?;
    let facts = cached_facts(packer, &segment)?;
    Some((segment, facts))
}

fn layer_key(diff_id: &Digest, packer: &Packer) -> Key {
    Key::of([&b"diff"[..], packer.level().name().as_bytes(), diff_id.hex().as_bytes()])
}

fn base(store: &Store, found: Found, choice: BaseChoice, target: &Target, packer: &Packer) -> Result<Base> {
    let platform = &target.platform;
    let of_image = (found.config.os.as_str(), found.config.architecture.as_str());
    ensure!(
        of_image == (platform.os.as_str(), platform.architecture.as_str()),
        "its image is for {}/{}, but the target `{}` is {platform}",
        of_image.0,
        of_image.1,
        target.triple
    );
    let diff_ids = &found.config.rootfs.diff_ids;
    ensure!(
        diff_ids.len() == found.layers.len(),
        "its config has {} layers, its manifest {}",
        diff_ids.len(),
        found.layers.len()
    );
    let mut layers = Vec::new();
    let mut facts = Facts::default();
    for ((name, digest), diff_id) in found.layers.iter().zip(diff_ids) {
        let (segment, of_layer) =
            store.layer(name, *digest, *diff_id, packer).with_context(|| format!("failed to read its layer `{name}`"))?;
        facts.overlay(of_layer);
        layers.push(segment);
    }
    let history = steps(found.config.history, layers.len());
    Ok(Base { choice, layers, config: found.config.config, history, facts, reference: found.reference })
}

/// An image that was read before, if all its layers are still packed. The choice is the caller's.
pub fn cached(config: ImageConfig, choice: BaseChoice, packer: &Packer) -> Option<Base> {
    let mut layers = Vec::new();
    let mut facts = Facts::default();
    for diff_id in &config.rootfs.diff_ids {
        let (segment, of_layer) = packed(diff_id, packer)?;
        facts.overlay(of_layer);
        layers.push(segment);
    }
    let history = steps(config.history, layers.len());
    Some(Base { choice, layers, config: config.config, history, facts, reference: None })
}

/// The images of these names and ids in an archive that an engine saved, in their order: config and layers.
///
/// # Errors
/// When one is not there, or anything of it is not what it should be.
#[cfg(feature = "engine")]
pub fn read_saved(path: &Path, images: &[(String, String)], packer: &Packer) -> Result<Vec<(ImageConfig, Vec<Segment>)>> {
    let store = Store::open(path)?;
    let entries: Vec<DockerImage> = store.document("manifest.json", None)?.context("the engine saved no `manifest.json`")?;
    let mut read = Vec::new();
    for (name, id) in images {
        let id = id.trim_start_matches("sha256:");
        let named = |entry: &&DockerImage| entry.repo_tags.iter().any(|tag| tag == name || tag.ends_with(&format!("/{name}")));
        let entry = entries.iter().find(|entry| entry.config.contains(id)).or_else(|| entries.iter().find(named));
        let entry = entry.with_context(|| format!("the engine did not save the image `{name}`"))?;
        let config: ImageConfig =
            store.document(&entry.config, None)?.with_context(|| format!("it has no `{}`", entry.config))?;
        let diff_ids = &config.rootfs.diff_ids;
        ensure!(diff_ids.len() == entry.layers.len(), "its image `{name}` has another number of layers than its config");
        let mut layers = Vec::new();
        for (member, diff_id) in entry.layers.iter().zip(diff_ids) {
            let layer = store.layer(member, None, *diff_id, packer);
            layers.push(layer.with_context(|| format!("failed to read its layer `{member}`"))?.0);
        }
        read.push((config, layers));
    }
    Ok(read)
}

/// One step for each layer.
fn steps(history: Vec<History>, layers: usize) -> Vec<History> {
    let steps: Vec<History> = history.into_iter().filter(|step| !step.empty_layer).collect();
    if steps.len() == layers { steps } else { vec![History::default(); layers] }
}

impl Store {
    fn open(path: &Path) -> Result<Self> {
        if path.is_dir() {
            return Ok(Self::Folder(path.to_owned()));
        }
        let failed = || format!("failed to read `{}` as a tar", path.display());
        let members = places(std::fs::File::open(path).with_context(failed)?).with_context(failed)?;
        Ok(Self::Tar(path.to_owned(), members))
    }

    fn open_member(&self, name: &str) -> Result<Option<std::io::Take<std::fs::File>>> {
        match self {
            Self::Folder(folder) => {
                let Some(name) = confined(name) else { bail!("`{name}` leads out of the archive") };
                let path = folder.join(name);
                if !path.is_file() {
                    return Ok(None);
                }
                let file = std::fs::File::open(&path).with_context(|| format!("failed to read `{}`", path.display()))?;
                let size = file.metadata()?.len();
                Ok(Some(file.take(size)))
            }
            Self::Tar(path, members) => {
                let Some((offset, size)) = members.get(name.trim_start_matches("./")) else { return Ok(None) };
                let mut file = std::fs::File::open(path).with_context(|| format!("failed to read `{}`", path.display()))?;
                file.seek(SeekFrom::Start(*offset))?;
                Ok(Some(file.take(*size)))
            }
        }
    }

    fn document<T: serde::de::DeserializeOwned>(&self, name: &str, digest: Option<&Digest>) -> Result<Option<T>> {
        let Some(member) = self.open_member(name)? else { return Ok(None) };
        ensure!(member.limit() <= LARGEST_DOCUMENT, "its `{name}` has {} bytes", member.limit());
        let mut bytes = Vec::new();
        BufReader::new(member).read_to_end(&mut bytes)?;
        if let Some(digest) = digest {
            ensure!(Digest::of(&bytes) == *digest, "its `{name}` does not have the sum in its name");
        }
        serde_json::from_slice(&bytes).map(Some).with_context(|| format!("its `{name}` is not what it should be"))
    }

    fn blob<T: serde::de::DeserializeOwned>(&self, digest: &Digest) -> Result<T> {
        let name = oci::blob_path(digest);
        self.document(&name, Some(digest))?.with_context(|| format!("it has no `{name}`"))
    }

    fn image(&self, target: &Target) -> Result<Found> {
        if let Some(index) = self.document::<Index>("index.json", None)? {
            return self.image_of_index(&index, target);
        }
        let Some(images) = self.document::<Vec<DockerImage>>("manifest.json", None)? else {
            bail!("it is neither a docker archive (no `manifest.json`) nor an OCI layout (no `index.json`)");
        };
        let [image] = &images[..] else { bail!("it holds {} images instead of one", images.len()) };
        let config = self.document(&image.config, None)?.with_context(|| format!("it has no `{}`", image.config))?;
        let layers = image.layers.iter().map(|name| (name.clone(), None)).collect();
        Ok(Found { config, layers, reference: image.repo_tags.first().cloned() })
    }

    fn image_of_index(&self, index: &Index, target: &Target) -> Result<Found> {
        let mut open: Vec<(Descriptor, usize)> = index.manifests.iter().map(|d| (d.clone(), 0)).collect();
        let mut images = Vec::new();
        while let Some((descriptor, depth)) = open.pop() {
            ensure!(depth < 8, "its indexes lead too deep");
            if descriptor.media_type.contains("index") || descriptor.media_type.contains("manifest.list") {
                open.extend(self.blob::<Index>(&descriptor.digest)?.manifests.into_iter().map(|d| (d, depth + 1)));
            } else {
                images.push(descriptor);
            }
        }
        // An image that has several names is listed with each.
        let mut fitting: BTreeMap<Digest, &Descriptor> = BTreeMap::new();
        for descriptor in images.iter().rev().filter(|d| d.platform.as_ref().is_none_or(|p| target.platform.takes(p))) {
            fitting.insert(descriptor.digest, descriptor);
        }
        let nearest = fitting.values().filter_map(|d| d.platform.as_ref()?.level()).max();
        let is_nearest = |d: &&Descriptor| d.platform.as_ref().is_none_or(|p| p.level() == nearest);
        let fitting: Vec<&Descriptor> = fitting.into_values().filter(is_nearest).collect();
        let descriptor = match fitting[..] {
            [only] => only,
            [] => bail!("none of its {} images is for {}", images.len(), target.platform),
            _ => bail!("it holds {} images for {} instead of one", fitting.len(), target.platform),
        };
        let reference = descriptor.annotations.get(oci::IMAGE_NAME).or_else(|| descriptor.annotations.get(oci::REF_NAME));
        Ok(Found { reference: reference.cloned(), ..self.image_of_manifest(&descriptor.digest)? })
    }

    fn image_of_manifest(&self, digest: &Digest) -> Result<Found> {
        let manifest: Manifest = self.blob(digest)?;
        let config = self.blob(&manifest.config.digest)?;
        let layers = manifest.layers.iter().map(|layer| (oci::blob_path(&layer.digest), Some(layer.digest))).collect();
        Ok(Found { config, layers, reference: None })
    }

    /// gzip layers stay as they are, so that their digests do; with `--compression best` all are packed again.
    fn layer(&self, name: &str, digest: Option<Digest>, diff_id: Digest, packer: &Packer) -> Result<(Segment, Facts)> {
        if let Some(known) = packed(&diff_id, packer) {
            return Ok(known);
        }
        let key = layer_key(&diff_id, packer);
        let open = || -> Result<_> { self.open_member(name)?.context("it is not there") };
        let mut start = Vec::new();
        open()?.take(Compression::HEAD).read_to_end(&mut start)?;
        let compression = Compression::of(&start);
        let mut from = BufReader::with_capacity(256 * 1024, open()?);
        let (segment, facts) = if compression == Compression::Gzip && packer.level() != Level::Best {
            packer.adopt(key, digest, from, |tar| Facts::read(tar))?
        } else {
            if let Some(digest) = digest {
                let (found, _) = Digest::of_reader(BufReader::new(open()?))?;
                ensure!(found == digest, "its bytes have the sum `{found}`");
            }
            pack(decompressed(&mut from)?, |_| key, packer)?
        };
        if segment.diff_id != diff_id {
            packer.cache().remove(key);
            bail!("its unpacked bytes have the sum `{}` instead of `{diff_id}`", segment.diff_id);
        }
        keep_facts(packer, &segment, &facts)?;
        Ok((segment, facts))
    }
}
