//! `.auterionos` files: the layers in `SLUG.image` are stretches of its gzip members where we wrote it, and are cut out.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use super::{Packed, image, no_images, pack, packer};
use crate::archive::{Budget, MOST_UNPACKED, Members, TarReader, confined};
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
    let contents = match contents(path, scratch, true)? {
        Some(contents) => contents,
        // Members that begin where a layer does, and do not end there.
        None => contents(path, scratch, false)?.context("it changes while it is read")?,
    };
    let mut report = strictly;
    let mut walk = Walk::new(&contents, &mut report);
    let listing = walk.list()?;
    let mut all = Vec::new();
    for stored in walk.images(&listing)? {
        let layer = |layer: &StoredLayer| {
            let found = contents.layers.get(&layer.path).cloned();
            found.with_context(|| format!("its layer `{}` is not there: an app on an app base cannot be pushed", layer.path))
        };
        let layers = stored.layers.iter().map(layer).collect::<Result<Vec<_>>>()?;
        for reference in &stored.names {
            all.push(image(reference, &contents.slug, &stored, &layers)?);
        }
    }
    if all.is_empty() { no_images() } else { Ok(all) }
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

/// `None` if a layer that was to be cut out does not consist of whole members.
fn contents(path: &Path, scratch: &Path, cut: bool) -> Result<Option<Contents>> {
    let budget = Budget::new(MOST_UNPACKED);
    let mut found: Option<Result<Option<Contents>>> = None;
    let file = BufReader::with_capacity(1 << 18, File::open(path)?);
    let reading = mender::read(file, &budget, &mut |entry, stream| {
        if let Some(slug) = entry.path.strip_suffix(".image") {
            found = Some(images(stream, &budget, slug, scratch, cut));
        }
    });
    if let Some(fault) = reading.faults.into_vec().into_iter().next() {
        bail!("{fault}\nhelp: run `cargo appbundle verify {}`", path.display());
    }
    found.context("it has no `.image` file")?
}

fn images(stream: &mut dyn Read, budget: &Budget, slug: &str, scratch: &Path, cut: bool) -> Result<Option<Contents>> {
    let mut contents = Contents { slug: slug.to_owned(), ..Contents::default() };
    let (packer, mut documents) = (packer(scratch), 0);
    let members = Members::new(BufReader::with_capacity(1 << 16, budget.reader(stream)));
    let mut tar = TarReader::new(members);
    while let Some(entry) = tar.next_entry()? {
        let Some(name) = confined(&entry.path) else { bail!("its member `{}` leads out of it", entry.path.escape_debug()) };
        ensure!(entry.link.is_none(), "its image archive has links");
        if !entry.is_file() {
            continue;
        }
        if !name.ends_with(".tar") {
            ensure!(entry.size <= LARGEST_DOCUMENT, "its `{name}` has {} bytes", entry.size);
            documents += entry.size;
            ensure!(documents <= ALL_DOCUMENTS, "its image archive has more than {ALL_DOCUMENTS} bytes beside its layers");
            let mut bytes = Vec::new();
            tar.read_to_end(&mut bytes)?;
            contents.documents.insert(name, bytes);
            continue;
        }
        let path = scratch.join(format!("{}.gz", contents.layers.len()));
        let layer = if cut && tar.get_mut().capture(File::create(&path)?)? {
            let Some(layer) = cut_out(&mut tar, path)? else { return Ok(None) };
            layer
        } else {
            pack(&packer, &mut tar)?
        };
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
