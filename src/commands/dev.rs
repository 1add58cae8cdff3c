//! `cargo appbundle dev`: the app in containers on this machine, following its sources until Ctrl-C.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::dev::{GRACE, Inside, Loop};
use crate::engine::{Engine, Interrupt};
use crate::pipeline::{Options, Session, load};
use crate::plan::{Format, Reach};
use crate::runtime::{Grace, Manner, Output, Started, Variables, apps, owner};
use crate::shell::Shell;

/// The tag of images without executables.
const TAG: &str = "dev";

/// Options in addition to those of the plan.
#[derive(Clone, Debug)]
pub struct DevOptions {
    /// How long to wait for each service to become healthy.
    pub timeout: Duration,
}

/// Runs the app and restarts what changes, until the user interrupts; then removes it.
///
/// # Errors
/// When the app cannot be started at all, or the engine goes away.
pub fn run(options: &Options, asked: &DevOptions, shell: &Shell) -> Result<()> {
    let engine = Engine::connect(load::START)?;
    if engine.endpoint().host() != "127.0.0.1" {
        bail!(
            "`dev` mounts executables and sources of this machine, and the engine at {} runs on another one\nhelp: try the app out with `cargo appbundle run`",
            engine.endpoint()
        );
    }
    owner::sweep(&engine, shell)?;
    let interrupt = Interrupt::listen()?;
    let mut options = for_this_machine(options, &engine);
    options.compile.wishes = Some(interrupt.wishes());
    let session = match Session::start(&options, shell) {
        // The interrupt may have stopped Cargo as well.
        Err(_) if interrupt.count() > 0 => return Ok(()),
        session => session?,
    };
    // No change to the sources fixes a problem with the environment.
    apps::of_plan(&session.plan, &Variables::read(&session.plan.workspace)?)?;

    let plan = &session.plan;
    let platform = plan.target.platform.to_string();
    let foreign: BTreeMap<String, String> = if platform == engine.about().platform {
        BTreeMap::new()
    } else {
        plan.services.iter().map(|service| (service.container.image.to_string(), platform.clone())).collect()
    };
    let services = plan.services.iter().map(|service| service.name.as_str());
    let dependencies = plan.services.iter().flat_map(|service| service.dev.beside().map(|(name, _)| name.as_str()));
    let mut names: Vec<&str> = services.chain(dependencies).collect();
    names.dedup();
    let output = Output::new(&names, shell);
    let app = plan.name.to_string();
    let manner = Manner { grace: Grace::Fixed(GRACE), lenient: true, warn_after: Some(asked.timeout) };
    let mut started = Started::new(&engine, &app, &foreign, &output, &interrupt, shell).with(manner);
    let mut inside = Inside::new(&plan.output.join(".dev"), &plan.target, shell)?;
    let ended = Loop {
        options: &options,
        timeout: asked.timeout,
        engine: &engine,
        started: &mut started,
        inside: &mut inside,
        ports: Default::default(),
        revivals: Default::default(),
        interrupt: &interrupt,
        shell,
    }
    .run(session);
    let stopped = started.stop();
    if let (Err(_), Err(error)) = (&ended, &stopped) {
        shell.warning(format_args!("failed to remove all containers: {error:#}"));
        return ended;
    }
    ended.and(stopped)
}

/// As a developer builds: as `cargo build` does, what was asked for with all that it depends on, and, where the engine's processor is
/// this machine's, for it.
fn for_this_machine(options: &Options, engine: &Engine) -> Options {
    let mut options = options.clone();
    options.request.reach = Reach::Dependencies;
    options.request.image_tag = Some(TAG.to_owned());
    options.request.formats = vec![Format::Docker];
    options.compile.plain = true;
    options.request.in_development = true;
    let own = match std::env::consts::ARCH {
        "x86_64" => "linux/amd64",
        "aarch64" => "linux/arm64",
        other => other,
    };
    if options.request.targets.is_empty() && engine.about().platform == own {
        options.request.targets = vec![format!("{}-unknown-linux-gnu", std::env::consts::ARCH)];
    }
    options
}
