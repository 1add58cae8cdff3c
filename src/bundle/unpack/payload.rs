//! `.auterionos` files: the layers in `SLUG.image` are stretches of its gzip members where we wrote it, and are cut out;
//! an archive of another tool is unpacked and read as any.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::packed::{Packed, image, no_images};
use crate::archive::{Budget, Compression, MOST_UNPACKED, Members, TarReader, begins_tar, confined, decompressed};
use crate::bundle::outgoing::Outgoing;
use crate::digest::{Digest, Hasher, Summed};
use crate::mender;
use crate::oci::LARGEST_DOCUMENT;
use crate::store::{self, ALL_DOCUMENTS, StoredLayer, Walk, strictly};

/// What `SLUG.image` holds.
#[derive(Default)]
struct Contents {
    slug: String,
    documents: BTreeMap<String, Vec<u8>>,
    layers: BTreeMap<String, Packed>,
}

pub fn read(path: &Path, scratch: &Path) -> Result<Vec<Outgoing>> {
    if let Some(contents) = visit(path, |stream, budget, slug| cut_all(stream, budget, slug, scratch))? {
        return contents.images();
    }
    let unpacked = scratch.join("archive.tar");
    let slug = visit(path, |stream, budget, slug| {
        let stream = decompressed(BufReader::with_capacity(1 << 16, stream))?;
        std::io::copy(&mut budget.reader(stream), &mut File::create(&unpacked)?)?;
        Ok(slug.to_owned())
    })?;
    super::archive::read(&unpacked, scratch, &slug)
}

/// Shows the archive of images in a bundle as a stream, and the app's name.
fn visit<T>(path: &Path, mut see: impl FnMut(&mut dyn Read, &Budget, &str) -> Result<T>) -> Result<T> {
    let budget = Budget::new(MOST_UNPACKED);
    let mut found = None;
    let file = BufReader::with_capacity(1 << 18, File::open(path)?);
    let reading = mender::read(file, &budget, &mut |entry, stream| {
        if let Some(slug) = entry.path.strip_suffix(".image") {
            found = Some(see(stream, &budget, slug));
        }
    });
    if let Some(fault) = reading.faults.into_vec().into_iter().next() {
        bail!("{fault}\nhelp: run `cargo appbundle verify {}`", path.display());
    }
    found.context("it has no `.image` file")?
}

impl Contents {
    fn images(self) -> Result<Vec<Outgoing>> {
        let mut report = strictly;
        let mut walk = Walk::new(&self, &mut report);
        let listing = walk.list()?;
        let mut all = Vec::new();
        for stored in walk.images(&listing)? {
            let layer = |layer: &StoredLayer| {
                let found = self.layers.get(&layer.path).cloned();
                found
                    .with_context(|| format!("its layer `{}` is missing: apps that use an app base cannot be pushed", layer.path))
            };
            let layers = stored.layers.iter().map(layer).collect::<Result<Vec<_>>>()?;
            for reference in &stored.names {
                all.push(image(reference, &self.slug, &stored, &layers)?);
            }
        }
        if all.is_empty() { no_images() } else { Ok(all) }
    }
}

impl store::Documents for Contents {
    fn size(&self, path: &str) -> Option<u64> {
        let layer = || self.layers.get(path).map(|layer| layer.size);
        self.documents.get(path).map(|bytes| bytes.len() as u64).or_else(layer)
    }

    fn document(&self, path: &str) -> Result<Cow<'_, [u8]>> {
        let bytes = self.documents.get(path).with_context(|| format!("`{path}` is a layer"))?;
        Ok(Cow::Borrowed(bytes))
    }
}

/// Cuts the layers out; `None` where not each of them is a `.tar` that consists of whole gzip members.
fn cut_all(stream: &mut dyn Read, budget: &Budget, slug: &str, scratch: &Path) -> Result<Option<Contents>> {
    let mut contents = Contents { slug: slug.to_owned(), ..Contents::default() };
    let mut documents = 0;
    let mut stream = BufReader::with_capacity(1 << 16, budget.reader(stream));
    if Compression::of(stream.fill_buf()?) != Compression::Gzip {
        return Ok(None);
    }
    let mut tar = TarReader::new(Members::new(stream));
    while let Some(entry) = tar.next_entry()? {
        let Some(name) = confined(&entry.path) else {
            bail!("its member `{}` has a path outside the archive", entry.path.escape_debug())
        };
        if entry.link.is_some() {
            return Ok(None);
        }
        if !entry.is_file() {
            continue;
        }
        if !name.ends_with(".tar") {
            documents += entry.size;
            if entry.size > LARGEST_DOCUMENT || documents > ALL_DOCUMENTS {
                return Ok(None);
            }
            let mut bytes = Vec::new();
            tar.read_to_end(&mut bytes)?;
            if begins_tar(&bytes) || Compression::of(&bytes) != Compression::None {
                return Ok(None);
            }
            contents.documents.insert(name, bytes);
            continue;
        }
        let path = scratch.join(format!("{}.gz", contents.layers.len()));
        if !tar.get_mut().capture(File::create(&path)?)? {
            return Ok(None);
        }
        let Some(layer) = cut_out(&mut tar, path)? else { return Ok(None) };
        contents.layers.insert(name, layer);
    }
    tar.drain()?;
    Ok(Some(contents))
}

/// Reads a layer to its end while its compressed bytes are written to `path`.
fn cut_out(tar: &mut TarReader<Members<impl std::io::BufRead>>, path: PathBuf) -> Result<Option<Packed>> {
    let mut plain = Hasher::default();
    std::io::copy(&mut Summed::new(&mut *tar, &mut plain), &mut std::io::sink())?;
    if !tar.get_mut().end_capture()? {
        return Ok(None);
    }
    let (digest, size) = Digest::of_reader(BufReader::with_capacity(1 << 18, File::open(&path)?))?;
    Ok(Some(Packed { diff_id: plain.finish(), digest, size, path }))
}
