//! The images of stacks, before anything of them starts.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::tree::Apps;
use crate::app::{Built, Dockerfile};
use crate::base::BuildContext;
use crate::commands::session::cache_folder;
use crate::commands::{Session, build, load};
use crate::engine::{BuildSpec, Engine, SwarmFacts};
use crate::plan::{Format, Plan};
use crate::segment::KnownDigests;
use crate::shell::Shell;

/// The label of containers with the sum of their image: the same name with another sum is another version.
pub const IMAGE_LABEL: &str = "io.github.cargo-appbundle.image";

/// Builds what no registry has, and loads it into the engine; says what other nodes will not find.
///
/// # Errors
/// When something cannot be built or loaded.
pub fn provide(engine: &Engine, facts: &SwarmFacts, apps: &Apps, shell: &Shell) -> Result<()> {
    let plan = &apps.plan;
    if plan.stacks.iter().all(|stack| stack.repo.is_some()) {
        shell.status("Using", format_args!("the images of {} in its registry", plan.slug()));
    } else {
        let platform = plan.target.platform.to_string();
        if platform != engine.about().platform {
            shell.warning(format_args!(
                "the services are for {platform}, the engine's node is {}: try `--target`",
                engine.about().platform
            ));
        }
        if facts.nodes > 1 {
            shell.warning(format_args!(
                "of {} nodes, only this one has the images: push them with `cargo appbundle push --repo PREFIX`, and deploy with `--repo PREFIX`",
                facts.nodes
            ));
        }
        if plan.swarm.mesh && no_ipvs(engine) {
            shell.warning(
                "this machine's kernel has no IPVS, without which services do not find one another: set `swarm = { routing = \"host\" }`",
            );
        }
        let mut own = apps.options.clone();
        own.request.formats = vec![Format::Docker];
        let session = Session::start(&own, shell)?;
        let paths = build::bundles(&session, &own, shell)?;
        let path = paths.into_iter().next().context("nothing was built")?;
        load::load(engine, &path, &load::read(&path, shell)?, shell)?;
        for built in plan.stacks.iter().filter(|stack| stack.repo.is_none()).flat_map(|stack| &stack.built) {
            dockerfile(engine, plan, built, shell)?;
        }
    }
    apps.others.values().try_for_each(|other| provide(engine, facts, other, shell))
}

/// Whether the engine runs here on a kernel that cannot balance. Docker loads the module where there is one.
fn no_ipvs(engine: &Engine) -> bool {
    engine.endpoint().socket().is_some() && cfg!(target_os = "linux") && !Path::new("/proc/net/ip_vs").exists()
}

fn dockerfile(engine: &Engine, plan: &Plan, built: &Built, shell: &Shell) -> Result<()> {
    let service = &built.service;
    let failed = || format!("failed to build the service `{}`", service.name);
    let known = KnownDigests::load(&cache_folder(plan).join("digests.json"));
    let source = Dockerfile {
        path: built.context.join(&built.dockerfile),
        written: built.dockerfile.clone(),
        context: built.context.clone(),
        args: built.args.clone(),
        target: None,
    };
    let mut context = BuildContext::read(&source, &known).with_context(failed)?;
    for (name, folder) in &built.packages {
        context.add(name, folder, &known).with_context(failed)?;
    }
    shell.status("Building", format_args!("{} from {}", service.image, source.path.display()));
    let spec = BuildSpec {
        dockerfile: context.dockerfile.clone(),
        platform: plan.target.platform.to_string(),
        args: built.args.clone(),
        target: None,
        tag: service.image.to_string(),
    };
    let image =
        engine.build(&spec, |to| context.write(to, &|_| ()), &mut |line| shell.output(&format!("{}: {line}", service.name)));
    let image = image.with_context(failed)?;
    if image.architecture != plan.target.platform.architecture {
        bail!("the engine made `{}` for {}/{} instead of {}", service.image, image.os, image.architecture, plan.target.platform);
    }
    Ok(())
}
