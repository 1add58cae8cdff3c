//! A build, step by step, for one target. The list in the crate's documentation has the same steps.

use std::path::PathBuf;

use anyhow::Result;

use super::built::Built;
use super::fresh::{self, LastBuild};
use super::pulled::Images;
use super::wanted::Wanted;
use super::{Options, Session, Workbench, bases, cache_folder, generated, write};
use crate::app::{Bases, Binary, Image, Unit};
use crate::base;
use crate::bundle;
use crate::compile::{self, Executables, Stripping};
use crate::image;
use crate::plan::{Engine, Format, Plan};
use crate::render;
use crate::segment::Damaged;
use crate::shell::{self, Shell};

/// Builds for one target; returns the path of each bundle.
///
/// # Errors
/// When a step fails. The files of an earlier build are then unchanged.
pub fn bundles(session: &Session, options: &Options, shell: &Shell) -> Result<Vec<PathBuf>> {
    // 1. The plan is made. It does not change from here on, but for files that commands write before Cargo.
    let plan = &session.plan;
    let last_build = plan.output.join(".last-build.json");
    // What an earlier build needed was there.
    if plan.needs_engine() && !last_build.exists() {
        engine_answers(plan)?;
    }
    // 2. Compile.
    let paths = compiled(session, options, shell)?;
    let prepared = if options.bin_dir.is_none() { session.prepared(options)? } else { None };
    let session = prepared.as_ref().unwrap_or(session);
    let plan = &session.plan;
    let bench = Workbench::open(plan, options, plan.compression, shell)?;
    compile::probe::build(&options.cargo, &session.workspace, plan)?;
    generated::requests(plan, options, shell)?;
    crate::fs::remove_leftovers(&plan.output);
    crate::fs::remove_leftovers(&plan.bundles);
    crate::fs::remove_leftovers(&cache_folder(plan));
    let paths = stripped(session, options, paths, &bench)?;
    let binaries = compile::look(plan, &paths, &bench.known)?;
    // Skip the rest if nothing changed since the last build.
    let mut images = Images::start(plan, options, shell)?;
    let inputs = fresh::inputs(plan, &binaries, &bench.linker, &images.manifests(), &bench.known)?;
    let outputs: Vec<PathBuf> = plan.formats.iter().map(|format| plan.bundle_path(*format)).collect();
    if images.are_fixed() && LastBuild::load(&last_build).is_some_and(|last| last.is_fresh(inputs)) {
        bench.known.save()?;
        Wanted::remember(session, options)?;
        shell.status("Fresh", format_args!("{} {}", plan.slug(), plan.version));
        return Ok(outputs);
    }
    shell.notes(render::files(plan)?.notes, &plan.allow);
    // Steps 3 to 7.
    let generated = mended(&bench, || made(plan, &binaries, &bench, &mut images))?;
    // Remember the inputs and outputs of this build.
    images.finish()?;
    bench.known.save()?;
    let all: Vec<PathBuf> = outputs.iter().cloned().chain(generated).collect();
    LastBuild::save(&last_build, inputs, &all)?;
    Wanted::remember(session, options)?;
    let removed = bench.packer.cache().prune(options.cache_size);
    if removed > 0 {
        shell.detail("Pruned", format_args!("{} from the layer cache", shell::bytes(removed)));
    }
    Ok(outputs)
}

/// The paths of the services' executables, compiled now or elsewhere (`--bin-dir`).
fn compiled(session: &Session, options: &Options, shell: &Shell) -> Result<Executables> {
    match &options.bin_dir {
        Some(folder) if session.among_others => compile::prebuilt(&session.plan, &folder.join(&session.plan.target.triple)),
        Some(folder) => compile::prebuilt(&session.plan, folder),
        None => compile::cargo(&options.cargo, &session.workspace, &session.plan, &options.compile, shell),
    }
}

/// Those that were compiled now, without their symbols, unless the profile says what becomes of these.
fn stripped(session: &Session, options: &Options, paths: Executables, bench: &Workbench<'_>) -> Result<Executables> {
    let Session { workspace, plan, .. } = session;
    if options.bin_dir.is_some() || options.compile.plain {
        return Ok(paths);
    }
    let settings = compile::CargoSettings::read(&options.cargo.config)?;
    match Stripping::of(&settings, workspace, &plan.profile)? {
        Stripping::Split => compile::split(plan, paths, &bench.known, bench.shell),
        Stripping::Profile(_) => Ok(paths),
    }
}

/// Runs `make` again after removing a damaged layer from the cache. Each run repairs one layer; a disk that damages more than two
/// is not worth another run.
fn mended<T>(bench: &Workbench<'_>, mut make: impl FnMut() -> Result<T>) -> Result<T> {
    let mut made = make();
    for _ in 0..2 {
        let Some(damaged) = made.as_ref().err().and_then(|error| error.downcast_ref::<Damaged>()) else { break };
        bench.shell.warning(format_args!("{damaged}; packing it again"));
        bench.packer.cache().remove(damaged.0);
        made = make();
    }
    made
}

/// Turns executables into files; returns the paths of the generated text files.
fn made(plan: &Plan, binaries: &[Binary], bench: &Workbench<'_>, images: &mut Images<'_>) -> Result<Vec<PathBuf>> {
    // 3. Read the bases.
    let bases = bases::read(plan, binaries, bench, images)?;
    let units = Unit::all(&plan.services, binaries, &bases)?;
    // 4. Check each executable against its base, and the images for their programs.
    base::check(units.iter().map(|unit| (unit.binary, unit.base)))?;
    Unit::by_image(&units).iter().try_for_each(|units| base::check_programs(units))?;
    // 5. Render.
    let generated = generated::write(plan, &units, &bases, bench)?;
    // The layers of bases are already packed, so their part of a bundle can be hashed while the other layers are packed.
    let cache = bench.packer.cache();
    let of_images = plan.images().iter().map(|image| bases.get(image.base)).collect::<Result<Vec<_>>>()?;
    std::thread::scope(|scope| {
        let (artifact, layouts): (Vec<&Format>, Vec<&Format>) =
            plan.formats.iter().partition(|format| **format == Format::Auterionos);
        let mut sum = artifact.first().map(|_| scope.spawn(|| bundle::begin_sum(&of_images, plan.epoch, cache)));
        if !layouts.is_empty() {
            scope.spawn(|| bundle::begin_digests(&of_images, cache));
        }
        // 6. Pack.
        let images = packed(plan, &units, &bases, bench)?;
        cache.touch(images.iter().flat_map(|image| &image.layers));
        Built::save(plan, &images)?;
        // 7. Write.
        for format in &plan.formats {
            let sum = sum.take_if(|_| *format == Format::Auterionos);
            // An error there occurs again in the writing, which reports it.
            let begun = || drop(sum.map(std::thread::ScopedJoinHandle::join));
            write::bundle(plan, *format, &images, cache, begun, bench.shell)?;
        }
        anyhow::Ok(())
    })?;
    Ok(generated)
}

/// The images, packed here or built by an engine.
fn packed(plan: &Plan, units: &[Unit<'_>], bases: &Bases, bench: &Workbench<'_>) -> Result<Vec<Image>> {
    if plan.engine == Engine::Docker {
        return by_engine(plan, bases, bench);
    }
    let shell = bench.shell;
    shell.status("Packing", format_args!("{} ({})", shell::count(plan.services.len(), "service"), plan.compression.name()));
    image::build(plan, units, bases, &bench.packer, &bench.known, |total| {
        let progress = shell.progress("Packing", total);
        move |bytes| progress.advance(bytes)
    })
}

#[cfg(feature = "engine")]
use super::by_engine::{answers as engine_answers, images as by_engine};

/// Without the feature `engine`, there is no engine to ask.
#[cfg(not(feature = "engine"))]
fn by_engine(_: &Plan, _: &Bases, _: &Workbench<'_>) -> Result<Vec<Image>> {
    anyhow::bail!("cargo-appbundle was built without the feature `engine`\nhelp: build with `--engine native`")
}

/// See above.
#[cfg(not(feature = "engine"))]
fn engine_answers(_: &Plan) -> Result<()> {
    Ok(())
}
