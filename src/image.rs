//! Images made here, without an engine: a base, shared files, own files, the executable on top.

mod config;
mod layers;

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use rayon::prelude::*;

use crate::app::{Base, Binary, Image};
use crate::plan::Plan;
use crate::segment::{Key, KnownDigests, Layer, Packer, Segment};

/// Packs what is not in the cache yet, in parallel, and joins the layers to images. `bases` and `binaries` go with the plan's
/// services, one for one. `begin` is told the uncompressed bytes of all layers, and what it gives those of each that is done.
///
/// # Errors
/// When a file cannot be read, or changes meanwhile.
pub fn build<F: Fn(u64) + Sync>(
    plan: &Plan,
    binaries: &[Binary],
    bases: &[&Base],
    packer: &Packer,
    known: &KnownDigests,
    begin: impl FnOnce(u64) -> F,
) -> Result<Vec<Image>> {
    let layers = layers::of_services(plan, binaries, bases, known)?;
    let mut missing: BTreeMap<Key, &Layer> = BTreeMap::new();
    for layer in layers.iter().flatten() {
        missing.insert(layer.key(packer.level())?, layer);
    }
    let packed = begin(missing.values().map(|layer| layer.content_size()).sum());
    let segments = pack(&missing.into_iter().collect::<Vec<_>>(), packer, &packed)?;
    let mut images = Vec::new();
    for image in plan.images() {
        // Files first, then the executables: those change most.
        let mut own: Vec<config::Own<'_>> = Vec::new();
        for executables in [false, true] {
            for at in &image.services {
                for (number, layer) in layers[*at].iter().enumerate() {
                    let executable = (number + 1 == layers[*at].len()).then_some(&binaries[*at]);
                    let segment = segments.get(&layer.key(packer.level())?).context("a layer was not packed")?;
                    if executable.is_some() != executables {
                        continue;
                    }
                    match own.iter_mut().find(|other| other.segment.key == segment.key) {
                        Some(same) => same.services.push(*at),
                        None => own.push(config::Own { segment, executable, services: vec![*at] }),
                    }
                }
            }
        }
        let base = bases[*image.services.first().context("an image holds no service")?];
        images.push(config::image(plan, &image, base, &own)?);
    }
    Ok(images)
}

/// Several layers at a time: a small layer alone does not keep all threads busy.
fn pack(layers: &[(Key, &Layer)], packer: &Packer, packed: &(dyn Fn(u64) + Sync)) -> Result<BTreeMap<Key, Segment>> {
    let one = |(key, layer): &(Key, &Layer)| {
        let segment = packer.layer(layer)?;
        packed(layer.content_size());
        Ok((*key, segment))
    };
    let threads = rayon::ThreadPoolBuilder::new().num_threads(packer.threads().min(layers.len())).build()?;
    threads.install(|| layers.par_iter().map(one).collect())
}
