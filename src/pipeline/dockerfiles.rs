//! Builds the images of services that have their own Dockerfile.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::workbench::cache_folder;
use crate::app::{DockerfileSource, Service, Stack};
use crate::base::BuildContext;
use crate::bundle::{self, Outgoing};
use crate::diagnostic::Code;
use crate::engine::{BuildSpec, Engine};
use crate::plan::Plan;
use crate::segment::KnownDigests;
use crate::shell::Shell;

/// Has the engine build a service's image; packages of the workspace are added to its build context.
///
/// # Errors
/// When the context cannot be read, the build fails, or the image is for another platform.
pub fn build(engine: &Engine, plan: &Plan, service: &Service, source: &DockerfileSource, shell: &Shell) -> Result<()> {
    let DockerfileSource { dockerfile, packages } = source;
    let failed = || format!("failed to build the service `{}`", service.name);
    let known = KnownDigests::load(&cache_folder(plan).join("digests.json"));
    let mut context = BuildContext::read(dockerfile, &known).with_context(failed)?;
    for (name, folder) in packages {
        context.add(name, folder, &known).with_context(failed)?;
    }
    let tag = &service.container.image;
    shell.status("Building", format_args!("{tag} from {}", dockerfile.path.display()));
    let spec = BuildSpec {
        dockerfile: context.dockerfile.clone(),
        platform: plan.target.platform.to_string(),
        args: dockerfile.args.clone(),
        target: None,
        tag: tag.to_string(),
    };
    let image =
        engine.build(&spec, |to| context.write(to, &|_| ()), &mut |line| shell.output(&format!("{}: {line}", service.name)));
    let image = image.with_context(failed)?;
    if image.architecture != plan.target.platform.architecture {
        bail!(Code::BasePlatform.error(format!(
            "the engine built `{tag}` for {}/{} instead of {}",
            image.os, image.architecture, plan.target.platform
        )));
    }
    Ok(())
}

/// Builds all Dockerfile services of a plan and saves their images out of the engine, named after the services. Unpacked files go
/// to `scratch`.
///
/// # Errors
/// When no engine answers, or an image cannot be built.
pub fn outgoing(plan: &Plan, scratch: &Path, shell: &Shell) -> Result<Vec<Outgoing>> {
    let all: Vec<(&Service, &DockerfileSource)> = plan.stacks.iter().flat_map(Stack::dockerfiles).collect();
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let engine = Engine::connect(super::load::START)?;
    let mut images = Vec::new();
    for (service, source) in all {
        build(&engine, plan, service, source, shell)?;
        let folder = scratch.join(service.name.as_str());
        fs_err::create_dir_all(&folder)?;
        let path = folder.join("image.tar");
        let reference = service.container.image.to_string();
        engine.save(&[&reference], &mut fs_err::File::create(&path)?)?;
        let read = bundle::outgoing(&path, &folder).with_context(|| format!("failed to read the image `{reference}`"))?;
        images.extend(read.into_iter().map(|image| Outgoing {
            name: service.name.to_string(),
            tag: service.container.image.tag().to_owned(),
            ..image
        }));
    }
    Ok(images)
}
