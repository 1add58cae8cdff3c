//! The images of services that are built of Dockerfiles of the user's own.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::session::cache_folder;
use crate::app::{Built, Dockerfile};
use crate::base::BuildContext;
use crate::bundle::{self, Outgoing};
use crate::engine::{BuildSpec, Engine};
use crate::plan::Plan;
use crate::segment::KnownDigests;
use crate::shell::Shell;

/// Lets the engine build one, under its name; packages of the workspace stand in its context.
///
/// # Errors
/// When the context cannot be read, or the engine does not make an image for the target's platform of it.
pub fn build(engine: &Engine, plan: &Plan, built: &Built, shell: &Shell) -> Result<()> {
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

/// All of a plan's, built and taken out of the engine, under their services' names; what is unpacked lies in `scratch`.
///
/// # Errors
/// When no engine answers, or one cannot be built.
pub fn outgoing(plan: &Plan, scratch: &Path, shell: &Shell) -> Result<Vec<Outgoing>> {
    let all: Vec<&Built> = plan.stacks.iter().flat_map(|stack| &stack.built).collect();
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let engine = Engine::connect(super::load::START)?;
    let mut images = Vec::new();
    for built in all {
        build(&engine, plan, built, shell)?;
        let service = &built.service;
        let folder = scratch.join(service.name.as_str());
        fs_err::create_dir_all(&folder)?;
        let path = folder.join("image.tar");
        let reference = service.image.to_string();
        engine.save(&[&reference], &mut fs_err::File::create(&path)?)?;
        let read = bundle::outgoing(&path, &folder).with_context(|| format!("failed to read the image `{reference}`"))?;
        images.extend(read.into_iter().map(|image| Outgoing {
            name: service.name.to_string(),
            tag: service.image.tag.clone(),
            ..image
        }));
    }
    Ok(images)
}
