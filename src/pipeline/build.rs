//! A build, step by step, for one target. The list in the crate's documentation has the same steps.

use std::path::PathBuf;
use std::sync::OnceLock;

use anyhow::{Context as _, Result};

use super::built::Built;
use super::crates::{self, Graph};
use super::fresh::{self, LastBuild};
use super::pulled::Images;
use super::wanted::Wanted;
use super::write::{Claims, beside};
use super::{Options, Session, Workbench, bases, bill, cache_folder, generated, licenses, provenance, write};
use crate::app::{Bases, Binary, Image, Unit};
use crate::base;
use crate::bundle::{self, Document, Part};
use crate::compile::{self, CompiledServices, Executables, Stripping};
use crate::digest::Digest;
use crate::image;
use crate::plan::{Engine, Format, Plan};
use crate::render;
use crate::segment::Damaged;
use crate::shell::{self, Shell};
use crate::trust::{ServiceCrates, sbom};

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
    if options.provenance {
        provenance::check(session)?;
    }
    // 2. Compile.
    let (compiled, crates) = compiled(session, options, shell)?;
    let prepared = session.prepared(options, &compiled.libraries)?;
    let session = prepared.as_ref().unwrap_or(session);
    let plan = &session.plan;
    let bench = Workbench::open(plan, options, plan.compression, shell)?;
    compile::probe::build(&options.cargo, &session.workspace, plan)?;
    generated::requests(plan, options, shell)?;
    crate::fs::remove_leftovers(&plan.output);
    crate::fs::remove_leftovers(&plan.bundles);
    crate::fs::remove_leftovers(&cache_folder(plan));
    let paths = stripped(session, options, compiled, &bench)?;
    let (paths, mut notes) = match plan.sbom {
        true => crates::put(paths, &crates, &bench)?,
        false => (paths, Vec::new()),
    };
    notes.extend(licenses::write(plan, &crates)?);
    let binaries = compile::look(plan, &paths, &bench.known)?;
    let listed = crates.as_deref().unwrap_or_default();
    // Skip the rest if nothing changed since the last build.
    let mut images = Images::start(plan, options, shell)?;
    let inputs = fresh::inputs(plan, &binaries, listed, &bench.linker, &images.manifests(), &bench.known)?;
    let provenance = options.provenance.then(|| provenance::of(session, options, images.are_fixed())).transpose()?;
    let claims = Claims { signer: options.signer.as_deref(), provenance: provenance.as_ref() };
    let inputs = match &provenance {
        Some(of) => Digest::of(format!("{inputs} {}", serde_json::to_string(of)?)),
        None => inputs,
    };
    let inputs = claims.signer.map_or(inputs, |signer| Digest::of(format!("{inputs} {}", signer.public().fingerprint())));
    let outputs: Vec<PathBuf> = plan.formats.iter().map(|format| plan.bundle_path(*format)).collect();
    if images.are_fixed() && LastBuild::load(&last_build).is_some_and(|last| last.is_fresh(inputs)) {
        bench.known.save()?;
        Wanted::remember(session, options)?;
        shell.status("Fresh", format_args!("{} {}", plan.slug(), plan.version));
        return Ok(outputs);
    }
    shell.notes(notes.into_iter().chain(render::files(plan)?.notes), &plan.allow);
    // Steps 3 to 7.
    let generated = mended(&bench, || made(plan, &binaries, listed, &bench, &mut images, claims))?;
    // Remember the inputs and outputs of this build.
    images.finish()?;
    bench.known.save()?;
    let besides = outputs.iter().filter_map(|path| beside(path, claims));
    let all: Vec<PathBuf> = outputs
        .iter()
        .cloned()
        .chain(besides)
        .chain(provenance.is_some().then(|| provenance::kept_at(plan)))
        .chain(generated)
        .collect();
    LastBuild::save(&last_build, inputs, &all)?;
    Wanted::remember(session, options)?;
    let removed = bench.packer.cache().prune(options.cache_size);
    if removed > 0 {
        shell.detail("Pruned", format_args!("{} from the layer cache", shell::bytes(removed)));
    }
    Ok(outputs)
}

/// The services' executables and libraries, compiled now or elsewhere (`--bin-dir`), and their crates.
fn compiled(session: &Session, options: &Options, shell: &Shell) -> Result<(CompiledServices, Result<Vec<ServiceCrates>>)> {
    let Session { workspace, plan, among_others } = session;
    if let Some(folder) = &options.bin_dir {
        let own = folder.join(&plan.target.triple);
        let compiled = compile::prebuilt(plan, if *among_others { &own } else { folder })?;
        let crates = crates::carried(&compiled.executables);
        return Ok((compiled, crates));
    }
    let (graph, resolved) = (Graph::new(session, options), OnceLock::new());
    let ask = || {
        if plan.sbom || plan.licenses {
            drop(resolved.set(graph.read()))
        }
    };
    let compiled = compile::cargo(&options.cargo, workspace, plan, &options.compile, ask, shell)?;
    let crates = match resolved.into_inner() {
        Some(resolved) => graph.of_services(&compiled, resolved).context("executables get no list of their crates"),
        None => Ok(Vec::new()),
    };
    Ok((compiled, crates))
}

/// Puts the libraries where they are packed from, and returns the executables. What was compiled now is without its symbols, unless
/// the profile says what becomes of these.
fn stripped(session: &Session, options: &Options, compiled: CompiledServices, bench: &Workbench<'_>) -> Result<Executables> {
    let Session { workspace, plan, .. } = session;
    let CompiledServices { executables, libraries, .. } = compiled;
    let is_split = options.bin_dir.is_none() && !options.compile.plain && {
        let settings = compile::CargoSettings::read(&options.cargo.config)?;
        Stripping::of(&settings, workspace, &plan.profile)? == Stripping::Split
    };
    let (executables, libraries) = match is_split {
        true => compile::split(plan, executables, libraries, &bench.known, bench.shell)?,
        false => (executables, libraries),
    };
    compile::libraries::place(plan, &libraries)?;
    Ok(executables)
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
fn made(
    plan: &Plan,
    binaries: &[Binary],
    crates: &[ServiceCrates],
    bench: &Workbench<'_>,
    images: &mut Images<'_>,
    claims: Claims<'_>,
) -> Result<Vec<PathBuf>> {
    // 3. Read the bases.
    let bases = bases::read(plan, binaries, bench, images)?;
    let units = Unit::all(&plan.services, binaries, &bases)?;
    // 4. Check each executable against its base, and the images for their programs.
    base::check(units.iter().map(|unit| (unit.binary, unit.base)))?;
    Unit::by_image(&units).iter().try_for_each(|units| base::check_programs(units))?;
    // 5. Render.
    let mut generated = generated::write(plan, &units, &bases, bench)?;
    let mut documents = Vec::new();
    if plan.sbom {
        let text = sbom::cyclonedx(&bill::of(plan, &units, &bases, crates, &bench.known)?)?;
        crate::fs::write(&plan.sbom_path(), text.as_bytes())?;
        generated.push(plan.sbom_path());
        documents.push(Document::sbom(&text)?);
    }
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
        let provenance = claims.provenance.map(|of| provenance::with_bases(of, plan, &bases)).transpose()?;
        provenance.iter().try_for_each(|of| provenance::keep(plan, of))?;
        let part = Part { images: &images, cache, documents: &documents };
        for format in &plan.formats {
            let sum = sum.take_if(|_| *format == Format::Auterionos);
            // An error there occurs again in the writing, which reports it.
            let begun = || drop(sum.map(std::thread::ScopedJoinHandle::join));
            let provenance = provenance.as_ref().map(|of| of.of_format(format.name()));
            let claims = Claims { provenance: provenance.as_ref(), ..claims };
            write::bundle(plan, *format, part, claims, begun, bench.shell)?;
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
