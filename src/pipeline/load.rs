//! Loads a bundle's images into an engine, except layers that it already has.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, bail};

use crate::bundle::{self, BundledImage, Contents};
use crate::digest::Digest;
use crate::engine::{self, Engine, ImageFacts};
use crate::shell::{self, Shell, count};

/// The help when no engine answers.
pub const START: &str = "start one (`sudo systemctl start docker`, or `systemctl --user start podman.socket`), or name it in `DOCKER_HOST`; `cargo appbundle build` needs none";

/// The images of a bundle; shows a progress bar if they take long to read.
pub fn read(path: &Path, shell: &Shell) -> Result<Contents> {
    bundle::contents_by_name(path)?.map_or_else(|| read_through(path, shell), Ok)
}

/// Reads and checks the whole bundle.
fn read_through(path: &Path, shell: &Shell) -> Result<Contents> {
    let progress = shell.progress("Reading", std::fs::metadata(path).map_or(0, |metadata| metadata.len()));
    bundle::contents(path, &|bytes| progress.advance(bytes))
}

/// Loads what the engine lacks, and prints how much it could reuse.
pub fn load(engine: &Engine, path: &Path, contents: &Contents, shell: &Shell) -> Result<()> {
    let (mut wanted, mut chains) = (Vec::new(), BTreeSet::new());
    for image in &contents.images {
        if image.names.is_empty() {
            bail!("the image {} of `{}` has no name, so it could not be found after loading", image.id.short(), path.display());
        }
        let named = named(engine, image)?;
        chains.extend(named.iter().flatten().flat_map(|found| engine::chains(found.layers.iter().map(String::as_str))));
        if !is_of(&named, image) {
            wanted.push(image);
        }
    }
    let there = contents.images.len() - wanted.len();
    if wanted.is_empty() {
        let total = bytes(contents.images.iter(), &BTreeSet::new());
        shell.status("Fresh", format_args!("{} already loaded ({} reused)", count(there, "image"), shell::bytes(total)));
        return Ok(());
    }
    let about = engine.about();
    shell.status("Loading", format_args!("{} into {} {}", count(wanted.len(), "image"), about.name, about.version));
    let takes_parts = engine.takes_parts()?;
    // The images with the same names usually have most of the layers. Listing the layers of all images is slow, so it comes
    // second.
    if takes_parts && wanted.iter().any(|image| !has_any(image, &chains)) {
        chains = engine.known_chains()?;
    }
    let mut known = if takes_parts { known_layers(&wanted, &chains) } else { BTreeSet::new() };
    let mut sent = send(engine, path, &wanted, &known, shell);
    // An image may have been removed in the meantime, together with its layers.
    if let Err(error) = &sent
        && !known.is_empty()
        && engine.again().is_ok()
    {
        shell.detail("Loading", format_args!("all layers, because the engine failed without those it has: {error:#}"));
        known.clear();
        sent = send(engine, path, &wanted, &known, shell);
    }
    // An engine's error about a damaged layer is unclear, so look for the damage ourselves.
    let sent = sent.map_err(|error| read_through(path, shell).err().unwrap_or(error))?;
    for image in &wanted {
        if !is_of(&named(engine, image)?, image) {
            bail!("the engine accepted the image `{}`, but cannot find it", image.names[0]);
        }
    }
    let spared = bytes(contents.images.iter(), &BTreeSet::new()) - bytes(wanted.iter().copied(), &known);
    let reused = if spared > 0 { format!(", {} reused", shell::bytes(spared)) } else { String::new() };
    shell.status("Loaded", format_args!("{} ({} sent{reused})", count(wanted.len(), "image"), shell::bytes(sent)));
    Ok(())
}

/// The engine's images that have the names of an image.
fn named(engine: &Engine, image: &BundledImage) -> Result<Vec<Option<ImageFacts>>> {
    image.names.iter().map(|name| engine.image(name)).collect()
}

/// Whether all of them are this image.
fn is_of(named: &[Option<ImageFacts>], image: &BundledImage) -> bool {
    named.iter().all(|found| found.as_ref().is_some_and(|found| found.id.trim_start_matches("sha256:") == image.id.hex()))
}

fn chains_of(image: &BundledImage) -> Vec<Digest> {
    let diff_ids: Vec<String> = image.layers.iter().map(|layer| layer.diff_id.to_string()).collect();
    engine::chains(diff_ids.iter().map(String::as_str))
}

fn has_any(image: &BundledImage, chains: &BTreeSet<Digest>) -> bool {
    chains_of(image).iter().any(|chain| chains.contains(chain))
}

/// The layers that the engine has on top of the same lower layers. A layer that another image needs on top of others must be
/// sent.
fn known_layers(wanted: &[&BundledImage], chains: &BTreeSet<Digest>) -> BTreeSet<Digest> {
    let (mut known, mut unknown) = (BTreeSet::new(), BTreeSet::new());
    for image in wanted {
        for (layer, chain) in image.layers.iter().zip(chains_of(image)) {
            if chains.contains(&chain) { &mut known } else { &mut unknown }.insert(layer.digest);
        }
    }
    known.retain(|digest| !unknown.contains(digest));
    known
}

fn bytes<'a>(images: impl Iterator<Item = &'a BundledImage>, known: &BTreeSet<Digest>) -> u64 {
    let mut seen = known.clone();
    images.flat_map(|image| &image.layers).filter(|layer| seen.insert(layer.digest)).map(|layer| layer.size).sum()
}

fn send(engine: &Engine, path: &Path, wanted: &[&BundledImage], known: &BTreeSet<Digest>, shell: &Shell) -> Result<u64> {
    let total = bytes(wanted.iter().copied(), known);
    let progress = shell.progress("Loading", total);
    engine.load(|to| bundle::write_images(path, wanted, known, to, &|bytes| progress.advance(bytes)))?;
    Ok(total)
}
