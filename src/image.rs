//! Images made here, without an engine: a base, shared files, own files, folders, the executable on top.

mod config;
mod layers;

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use rayon::prelude::*;

use crate::app::{Bases, Image, Unit};
use crate::plan::{Plan, PlannedImage};
use crate::segment::{Key, KnownDigests, Layer, Packer, Segment};
pub use config::upstream;
use config::{Own, What};
use layers::UnitLayers;

/// Packs what is not in the cache yet, in parallel, and joins the layers to images. `begin` gets the uncompressed bytes of all
/// layers that are packed, and gives what is called with the bytes of each that is done.
///
/// # Errors
/// When a file cannot be read, or changes meanwhile.
pub fn build<F: Fn(u64) + Sync>(
    plan: &Plan,
    units: &[Unit<'_>],
    bases: &Bases,
    packer: &Packer,
    known: &KnownDigests,
    begin: impl FnOnce(u64) -> F,
) -> Result<Vec<Image>> {
    let layers = layers::of_units(units, plan.epoch, known)?;
    let mut missing: BTreeMap<Key, &Layer> = BTreeMap::new();
    for layer in layers.iter().flat_map(|of| of.files.iter().chain(&of.folders).chain([&of.executable])) {
        missing.insert(layer.key(packer.level())?, layer);
    }
    let packed = begin(missing.values().map(|layer| layer.content_size()).sum());
    let segments = pack(&missing.into_iter().collect::<Vec<_>>(), packer, &packed)?;
    let one = |image: &PlannedImage<'_>| match image.is_upstream {
        true => upstream(plan, image, bases.get(image.base)?),
        false => join(plan, image, &layers, &segments, packer),
    };
    plan.images().iter().map(one).collect()
}

/// Puts an image's layers together: files and folders first, then the executables, which change most; one that several services
/// share once.
fn join(
    plan: &Plan,
    image: &PlannedImage<'_>,
    layers: &[UnitLayers<'_>],
    segments: &BTreeMap<Key, Segment>,
    packer: &Packer,
) -> Result<Image> {
    let is_in_it = |of: &&UnitLayers<'_>| image.services.iter().any(|service| service.name == of.unit.service.name);
    let of_image: Vec<&UnitLayers<'_>> = layers.iter().filter(is_in_it).collect();
    let files = of_image.iter().flat_map(|of| of.files.iter().map(|layer| (layer, What::Files, of.unit)));
    let folders = of_image.iter().flat_map(|of| of.folders.iter().map(|layer| (layer, What::Folders, of.unit)));
    let executables = of_image.iter().map(|of| (&of.executable, What::Executable, of.unit));
    let mut own: Vec<Own<'_>> = Vec::new();
    for (layer, what, unit) in files.chain(folders).chain(executables) {
        let segment = segments.get(&layer.key(packer.level())?).context("a layer was not packed")?;
        match own.iter_mut().find(|other| other.segment.key == segment.key) {
            Some(same) => same.units.push(unit),
            None => own.push(Own { segment, what, units: vec![unit] }),
        }
    }
    let base = of_image.first().context("an image contains no service")?.unit.base;
    config::image(plan, image, base, &own)
}

/// Several layers at a time: a small layer alone does not keep all threads busy.
fn pack(layers: &[(Key, &Layer)], packer: &Packer, packed: &(dyn Fn(u64) + Sync)) -> Result<BTreeMap<Key, Segment>> {
    let one = |(key, layer): &(Key, &Layer)| {
        let segment = packer.layer_told(layer, &|bytes| packed(bytes))?;
        Ok((*key, segment))
    };
    let threads = rayon::ThreadPoolBuilder::new().num_threads(packer.threads().min(layers.len())).build()?;
    threads.install(|| layers.par_iter().map(one).collect())
}
