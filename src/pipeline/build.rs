//! The whole pipeline, for one target.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::built::Built;
use super::fresh::{self, LastBuild};
use super::pulled::Images;
use super::session::{cache_folder, lock};
use super::wanted::Wanted;
use super::{Options, Session, bases, generated};
use crate::app::{Base, Binary, Image};
use crate::base;
use crate::bundle::{self, Payload};
use crate::compile::{self, CargoSettings, linker};
use crate::fs::Pending;
use crate::image;
use crate::mender::Artifact;
use crate::plan::{Engine, Format, Plan};
use crate::render;
use crate::segment::{Cache, Damaged, KnownDigests, Packer};
use crate::shell::{self, Shell};

/// Builds for one target; gives the path of each bundle.
pub fn bundles(session: &Session, options: &Options, shell: &Shell) -> Result<Vec<PathBuf>> {
    let paths = match &options.bin_dir {
        Some(folder) if session.among_others => compile::prebuilt(&session.plan, &folder.join(&session.plan.target.triple))?,
        Some(folder) => compile::prebuilt(&session.plan, folder)?,
        None => compile::cargo(&options.cargo, &session.workspace, &session.plan, &options.compile, shell)?,
    };
    let plan = &session.plan;
    let _lock = lock(plan, shell)?;
    generated::requests(plan, options, shell)?;
    crate::fs::remove_leftovers(&plan.output);
    crate::fs::remove_leftovers(&cache_folder(plan));
    let known = KnownDigests::load(&cache_folder(plan).join("digests.json"));
    let binaries = compile::look(plan, &paths, &known)?;
    let linker = linker::used(&CargoSettings::read(&options.cargo.config)?, &plan.target.triple);

    let mut images = Images::start(plan, options, shell)?;
    let inputs = fresh::inputs(plan, &binaries, &linker, &images.manifests(), &known)?;
    let last_build = plan.output.join(".last-build.json");
    let outputs: Vec<PathBuf> = plan.formats.iter().map(|format| plan.bundle_path(*format)).collect();
    if images.are_fixed() && LastBuild::load(&last_build).is_some_and(|last| last.is_fresh(inputs)) {
        known.save()?;
        Wanted::remember(session, options)?;
        shell.status("Fresh", format_args!("{} {}", plan.slug(), plan.version));
        return Ok(outputs);
    }
    render::files(plan)?.notes.iter().for_each(|note| shell.note(note));

    let packer = Packer::new(Cache::new(&cache_folder(plan)), plan.compression, options.threads);
    let mut written = pack(plan, &binaries, &linker, &packer, &known, &mut images, shell);
    // A damaged layer is packed again; each round mends one, and a disk that damages them all is not worth a third.
    for _ in 0..2 {
        let Some(damaged) = written.as_ref().err().and_then(|error| error.downcast_ref::<Damaged>()) else { break };
        shell.warning(format_args!("{damaged}, so it is packed again"));
        packer.cache().remove(damaged.0);
        written = pack(plan, &binaries, &linker, &packer, &known, &mut images, shell);
    }
    let generated = written?;
    images.finish()?;
    known.save()?;
    let all: Vec<PathBuf> = outputs.iter().cloned().chain(generated).collect();
    LastBuild::save(&last_build, inputs, &all)?;
    Wanted::remember(session, options)?;
    let removed = packer.cache().prune(options.cache_size);
    if removed > 0 {
        shell.detail("Pruned", format_args!("{} of the cache of layers", shell::bytes(removed)));
    }
    Ok(outputs)
}

/// From binaries to files; gives the paths of those that were generated.
fn pack(
    plan: &Plan,
    binaries: &[Binary],
    linker: &str,
    packer: &Packer,
    known: &KnownDigests,
    images: &mut Images<'_>,
    shell: &Shell,
) -> Result<Vec<PathBuf>> {
    let bases = bases::read(plan, binaries, linker, packer, known, images, shell)?;
    let of_services: Vec<&Base> = plan.bases.iter().filter_map(|choice| bases.get(choice)).collect();
    for (binary, base) in binaries.iter().zip(&of_services) {
        base::check(binary, base)?;
    }
    let generated = generated::write(plan, binaries, &of_services, packer)?;
    std::thread::scope(|scope| {
        let (artifact, layouts): (Vec<&Format>, Vec<&Format>) =
            plan.formats.iter().partition(|format| **format == Format::Auterionos);
        let mut sum = artifact.first().map(|_| scope.spawn(|| bundle::begin_sum(&of_services, plan.epoch, packer.cache())));
        if !layouts.is_empty() {
            scope.spawn(|| bundle::begin_digests(&of_services, packer.cache()));
        }
        let images = if plan.engine == Engine::Docker {
            by_engine(plan, &of_services, packer, known, shell)?
        } else {
            shell.status(
                "Packing",
                format_args!("{} ({})", shell::count(plan.services.len(), "service"), plan.compression.name()),
            );
            image::build(plan, binaries, &of_services, packer, known, |total| {
                let progress = shell.progress("Packing", total);
                move |bytes| progress.advance(bytes)
            })?
        };
        packer.cache().touch(images.iter().flat_map(|image| &image.layers));
        Built::save(plan, &images)?;
        for format in &plan.formats {
            let sum = sum.take_if(|_| *format == Format::Auterionos);
            // What failed there fails again in the writing, and is said there.
            let begun = || drop(sum.map(std::thread::ScopedJoinHandle::join));
            write_bundle(plan, *format, &images, packer.cache(), begun, shell)?;
        }
        anyhow::Ok(())
    })?;
    Ok(generated)
}

#[cfg(feature = "engine")]
use super::by_engine::images as by_engine;

/// Without the feature `engine`, nobody is there to ask.
#[cfg(not(feature = "engine"))]
fn by_engine(_: &Plan, _: &[&Base], _: &Packer, _: &KnownDigests, _: &Shell) -> Result<Vec<Image>> {
    anyhow::bail!("this program was built without its feature `engine`\nhelp: build with `--engine native`")
}

/// `begun` returns when what was begun of the sum of an `.auterionos` file's image is there.
fn write_bundle(
    plan: &Plan,
    format: Format,
    images: &[Image],
    cache: &Cache,
    begun: impl FnOnce() + Send,
    shell: &Shell,
) -> Result<()> {
    let path = plan.bundle_path(format);
    let mut pending = Pending::new(&path)?;
    let mut seen = std::collections::BTreeSet::new();
    let layers = images.iter().flat_map(|image| &image.layers).filter(|layer| seen.insert(layer.key));
    let progress = shell.progress("Writing", layers.map(|layer| layer.compressed).sum());
    let advance = |bytes| progress.advance(bytes);
    let part = bundle::Part { images, cache };
    let size = match format {
        Format::Auterionos => {
            let auterion = plan.auterion.as_ref().context("the plan has no part for AuterionOS")?;
            let artifact = Artifact {
                name: format!("{}:{}", plan.slug(), plan.version),
                device_types: auterion.device_types.clone(),
                software: plan.slug(),
                version: plan.version.tag.clone(),
                metadata: render::metadata(plan, auterion)?,
                mtime: plan.epoch,
            };
            let payload = Payload {
                slug: plan.slug(),
                version: plan.version.tag.clone(),
                app_file: render::payload_app_file(plan, auterion)?,
                compose: render::payload_compose(plan, auterion)?,
                settings: plan.settings.clone(),
            };
            bundle::write_auterionos(&mut pending, &artifact, payload, images, cache, begun, &advance)
        }
        Format::Docker => {
            bundle::write_layout(&mut pending, bundle::Kind::Docker, &[part], annotations(&[plan]), plan.epoch, &advance)
        }
        Format::Oci => bundle::write_layout(&mut pending, bundle::Kind::Oci, &[part], annotations(&[plan]), plan.epoch, &advance),
    }
    .with_context(|| format!("failed to write `{}`", path.display()))?;
    drop(progress);
    pending.commit()?;
    shell.status("Bundled", format_args!("{} ({})", path.display(), shell::bytes(size)));
    Ok(())
}

/// What made a bundle, and of what. `plans` are of one app, for one target each.
pub fn annotations(plans: &[&Plan]) -> BTreeMap<String, String> {
    let triples: Vec<&str> = plans.iter().map(|plan| plan.target.triple.as_str()).collect();
    let mut all = BTreeMap::from([
        ("io.github.cargo-appbundle.made-by".to_owned(), concat!("cargo-appbundle ", env!("CARGO_PKG_VERSION")).to_owned()),
        ("io.github.cargo-appbundle.target".to_owned(), triples.join(",")),
    ]);
    if let Some(plan) = plans.first() {
        all.insert("org.opencontainers.image.title".to_owned(), plan.slug());
        all.insert("org.opencontainers.image.version".to_owned(), plan.version.written.clone());
    }
    all
}
