//! `--engine docker`: has an engine build the generated Dockerfiles, and reads back its images.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, ensure};

use super::Workbench;
use crate::app::{Base, BaseChoice, Bases, Image, ImageRef};
use crate::base::{self, BuildContext};
use crate::bundle;
use crate::diagnostic::Code;
use crate::digest::Digest;
use crate::engine::{BuildSpec, Engine, ImageFacts};
use crate::fs::Pending;
use crate::oci::{ImageConfig, RootFs};
use crate::plan::Plan;
use crate::render::{self, Context};
use crate::segment::{KnownDigests, Packer, Segment};
use crate::shell::{self, Shell};

/// The help when no engine answers.
const WITHOUT: &str = "start Docker or podman, or build with `--engine native`, which needs none";

/// How many builds run at a time. An engine already uses all processors for one.
const AT_A_TIME: usize = 4;

/// Asks for the engine that the plan needs before anything compiles for it.
///
/// # Errors
/// When none answers.
pub fn answers(plan: &Plan) -> Result<()> {
    let help = if plan.engine == crate::plan::Engine::Docker {
        WITHOUT
    } else {
        "start Docker or podman, or use a base that needs none"
    };
    Engine::connect(help).map(drop)
}

/// Has an engine build the contexts in the output folder, bases first, and reads the images it made.
///
/// # Errors
/// When there is no engine, a build fails, or the engine stops answering.
pub fn images(plan: &Plan, bases: &Bases, bench: &Workbench<'_>) -> Result<Vec<Image>> {
    let Workbench { packer, known, shell, .. } = bench;
    let engine = Engine::connect(WITHOUT)?;
    let about = engine.about();
    let contexts = render::contexts(plan, bases)?;
    let images = plan.own_images();
    shell.status(
        "Building",
        format_args!("{} with {} {}", shell::count(plan.services.len(), "service"), about.name, about.version),
    );
    // Bases are built in the order in which images first use them.
    let own_bases = plan.bases().into_iter().filter(|base| images.iter().any(|image| image.base == *base));
    for (context, choice) in contexts.iter().filter(|context| context.service.is_none()).zip(own_bases) {
        let from = given(&engine, plan, bases.get(choice)?, packer)
            .with_context(|| format!("failed to load the base `{choice}` into {}", about.name))?;
        let args = from.map(|from| (render::BASE_ARG.to_owned(), from)).into_iter().collect();
        build(&engine, plan, context, args, known, shell)?;
    }
    let is_own = |name: &String| images.iter().any(|image| image.name == name);
    let services: Vec<&Context> = contexts.iter().filter(|context| context.service.as_ref().is_some_and(is_own)).collect();
    let built = build_all(&engine, plan, &services, known, shell)?;

    let named: Vec<(String, String)> =
        services.iter().zip(built).map(|(context, image)| (context.image.clone(), image.id)).collect();
    let mut pending = Pending::new(&packer.cache().folder().join("image"))?;
    let names: Vec<&str> = named.iter().map(|(name, _)| name.as_str()).collect();
    let size = engine.save(&names, pending.file())?;
    shell.status("Saved", format_args!("{}, {}", shell::count(names.len(), "image"), shell::bytes(size)));
    let saved = base::read_saved(pending.path(), &named, packer).context("failed to read the archive that the engine saved")?;
    let finished = images.iter().zip(saved).map(|(planned, mut saved)| {
        // A Dockerfile cannot express a label of several lines.
        let labels = planned.config.labels.iter().filter(|(_, value)| value.contains('\n'));
        saved.0.config.labels.extend(labels.map(|(name, value)| (name.clone(), value.clone())));
        image(plan, planned.name, planned.reference, saved)
    });
    let upstream = plan.images().into_iter().filter(|planned| planned.is_upstream);
    finished.chain(upstream.map(|planned| crate::image::upstream(plan, &planned, bases.get(planned.base)?))).collect()
}

/// Gives the engine the image that a base's Dockerfile starts `FROM`, under a name of its own; returns that name, or `None` if the
/// Dockerfile's own `FROM` already leads to the right image. So the engine needs no credentials, mirrors or certificates for a
/// registry, and the image cannot change when the user's name for it is moved.
fn given(engine: &Engine, plan: &Plan, base: &Base, packer: &Packer) -> Result<Option<String>> {
    let is_it = |image: &ImageFacts| image.layers.iter().cloned().eq(base.layers.iter().map(|layer| layer.diff_id.to_string()));
    match &base.choice {
        BaseChoice::Auto | BaseChoice::Scratch | BaseChoice::Rootfs(_) | BaseChoice::Debian(_) => return Ok(None),
        BaseChoice::Dockerfile(_) => {
            let reference = base.reference.as_deref().context("it has no name")?;
            if engine.image(reference)?.is_some_and(|there| is_it(&there)) {
                return Ok(None);
            }
        }
        BaseChoice::Daemon(name) => {
            if let Some(there) = engine.image(name)?.filter(is_it) {
                let own = own_name(there.id.trim_start_matches("sha256:"));
                engine.tag(name, &own)?;
                return Ok(Some(own));
            }
        }
        BaseChoice::Archive(_) | BaseChoice::Image(_) => {}
    }
    let config = ImageConfig { config: base.config.clone(), history: base.history.clone(), ..ImageConfig::default() };
    let unnamed = ImageRef::parse(&own_name("base")).map_err(anyhow::Error::msg)?;
    let mut given = image(plan, "base", &unnamed, (config, base.layers.clone()))?;
    let own = own_name(&given.id.hex());
    if engine.image(&own)?.is_some_and(|there| is_it(&there)) {
        return Ok(Some(own));
    }
    given.reference = ImageRef::parse(&own).map_err(anyhow::Error::msg)?;
    let mut pending = Pending::new(&packer.cache().folder().join("image"))?;
    let part = bundle::Part { images: &[given], cache: packer.cache(), documents: &[] };
    bundle::write_layout(&mut pending, bundle::Kind::Docker, &[part], BTreeMap::new(), plan.epoch, &|_| ())?;
    let path = pending.path().to_owned();
    engine.load(|to| Ok(std::io::copy(&mut fs_err::File::open(path)?, to).map(drop)?))?;
    Ok(Some(own))
}

fn own_name(id: &str) -> String {
    format!("appbundle-base:{}", &id[..id.len().min(16)])
}

/// Builds several at a time, each over its own connection.
fn build_all(
    engine: &Engine,
    plan: &Plan,
    contexts: &[&Context],
    known: &KnownDigests,
    shell: &Shell,
) -> Result<Vec<ImageFacts>> {
    let next = AtomicUsize::new(0);
    let done: Mutex<BTreeMap<usize, Result<ImageFacts>>> = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME.min(contexts.len()) {
            scope.spawn(|| {
                while let Some((at, context)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    contexts.get(at).map(|c| (at, c))
                } {
                    let built =
                        engine.again().and_then(|engine| build(&engine, plan, context, context.args.clone(), known, shell));
                    let failed = built.is_err();
                    done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(at, built);
                    if failed {
                        next.store(contexts.len(), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let built = done.into_values().collect::<Result<Vec<_>>>()?;
    ensure!(built.len() == contexts.len(), "some images were not built");
    Ok(built)
}

fn build(
    engine: &Engine,
    plan: &Plan,
    context: &Context,
    args: BTreeMap<String, String>,
    known: &KnownDigests,
    shell: &Shell,
) -> Result<ImageFacts> {
    let path = plan.output.join(&context.dockerfile.path);
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let paths: Vec<&str> = context.copied.iter().map(|(path, _)| path.as_str()).collect();
    let what = context.service.as_deref().unwrap_or("base");
    let failed = || format!("failed to build `{}`", path.display());
    let files = BuildContext::of(folder, name, &paths, plan.epoch, known).with_context(failed)?;
    let spec = BuildSpec {
        dockerfile: name.to_owned(),
        platform: plan.target.platform.to_string(),
        args,
        tag: context.image.clone(),
        target: None,
    };
    let image = engine.build(&spec, |to| files.write(to, &|_| ()), &mut |line| shell.output(&format!("{what}: {line}")));
    let image = image.with_context(failed)?;
    let platform = &plan.target.platform;
    ensure!(
        image.architecture == platform.architecture,
        Code::BasePlatform.error(format!(
            "the engine built `{}` for {}/{} instead of {platform}\nhelp: build with `--engine native`",
            context.image, image.os, image.architecture
        ))
    );
    Ok(image)
}

/// Turns an image that an engine made into one of ours: with the plan's platform, and without the engine's timestamps.
fn image(plan: &Plan, service: &str, reference: &ImageRef, saved: (ImageConfig, Vec<Segment>)) -> Result<Image> {
    let (mut config, layers) = saved;
    let platform = plan.target.platform.clone();
    let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(plan.epoch);
    let created = humantime::format_rfc3339_seconds(time).to_string();
    for step in config.history.iter_mut().filter(|step| step.created.is_some()) {
        step.created = Some(created.clone());
    }
    config.config.env.sort();
    // Podman's version label would change the bytes with every podman version.
    config.config.labels.remove("io.buildah.version");
    let rootfs = RootFs { diff_ids: layers.iter().map(|layer| layer.diff_id).collect(), ..RootFs::default() };
    let config = ImageConfig {
        created: Some(created),
        architecture: platform.architecture.clone(),
        variant: platform.variant.clone(),
        os: platform.os.clone(),
        rootfs,
        ..config
    };
    let config_bytes = serde_json::to_vec(&config)?;
    let id = Digest::of(&config_bytes);
    Ok(Image { service: service.to_owned(), reference: reference.clone(), platform, config, config_bytes, id, layers })
}
