//! Provides the images of stacks before anything starts.

use anyhow::{Context as _, Result};

use super::tree::Apps;
use crate::app::Stack;
use crate::engine::{Engine, SwarmFacts};
use crate::os;
use crate::pipeline::{self, Session, dockerfiles, load};
use crate::plan::Format;
use crate::shell::Shell;

/// The container label with the image's id: a rebuilt image keeps its name but gets another id.
pub const IMAGE_LABEL: &str = "io.github.cargo-appbundle.image";

/// Builds the images that no registry has, and loads them into the engine; warns about what other nodes will lack.
///
/// # Errors
/// When an image cannot be built or loaded.
pub fn provide(engine: &Engine, facts: &SwarmFacts, apps: &Apps, shell: &Shell) -> Result<()> {
    let plan = &apps.plan;
    if plan.stacks.iter().all(|stack| stack.repo.is_some()) {
        shell.status("Using", format_args!("the images of {} from its registry", plan.slug()));
    } else {
        let platform = plan.target.platform.to_string();
        if platform != engine.about().platform {
            let triple = match engine.about().platform.as_str() {
                "linux/amd64" => "x86_64-unknown-linux-gnu",
                "linux/arm64" => "aarch64-unknown-linux-gnu",
                _ => "…",
            };
            shell.warning(format_args!(
                "the services are built for {platform}, but the engine's node is {}: use `--target {triple}`",
                engine.about().platform
            ));
        }
        if facts.nodes > 1 {
            shell.warning(format_args!(
                "only this node of {} has the images: push them with `cargo appbundle push --repo PREFIX`, then deploy with `--repo PREFIX`",
                facts.nodes
            ));
        }
        if plan.swarm.mesh && no_ipvs(engine) {
            shell.warning(
                "this machine's kernel lacks IPVS, so services cannot reach each other: set `swarm = { routing = \"host\" }`",
            );
        }
        let mut own = apps.options.clone();
        own.request.formats = vec![Format::Docker];
        let session = Session::start(&own, shell)?;
        let paths = pipeline::bundles(&session, &own, shell)?;
        let path = paths.into_iter().next().context("nothing was built")?;
        load::load(engine, &path, &load::read(&path, shell)?, shell)?;
        for (service, source) in plan.stacks.iter().filter(|stack| stack.repo.is_none()).flat_map(Stack::dockerfiles) {
            dockerfiles::build(engine, plan, service, source, shell)?;
        }
    }
    apps.others.values().try_for_each(|other| provide(engine, facts, other, shell))
}

/// Whether the engine runs on this machine and its kernel lacks IPVS, which balances between services. Docker loads the module if
/// it exists.
fn no_ipvs(engine: &Engine) -> bool {
    engine.endpoint().socket().is_some() && os::lacks_ipvs()
}
