//! Stacks in a Docker Swarm: `deploy`, `status` and `remove`.

mod certificate;
mod down;
mod images;
mod pause;
mod rollback;
mod state;
mod tree;
mod up;
mod wait;

use std::time::Duration;

use anyhow::{Result, bail};

use self::rollback::Rollback;
use self::tree::{Apps, Node};
use crate::app::Destination;
use crate::diagnostic::Code;
use crate::engine::{Engine, SwarmFacts};
use crate::pipeline::{Options, load, others};
use crate::render::{self, Outside};
use crate::shell::Shell;

/// Deploys the app: networks first, then inner stacks, then services. Waits until all replicas run. If an update fails and
/// `rollback` is set, all services get their last version back.
///
/// # Errors
/// When there is no swarm, a replica keeps failing, or replicas do not start in time. Services that already started keep running.
pub fn deploy(options: &Options, timeout: Duration, rollback: bool, shell: &Shell) -> Result<()> {
    let (engine, facts) = connect()?;
    let apps = Apps::read(options, shell)?;
    let top = Node::tree(&apps)?;
    let others = others::of_controllers(options, &apps.plan, shell)?;
    let outside = Outside { binaries: &apps.plan.output, repo: None, others: &others };
    let rendered = render::deployment(&apps.plan, Destination::Stacks, outside)?;
    shell.notes(rendered.notes, &apps.plan.allow);
    up::check_secrets(&top)?;
    let before = Rollback::before(&engine, &top)?;
    images::provide(&engine, &facts, &apps, shell)?;
    if let Err(error) = up::stack(&engine, &facts, &top, timeout, shell) {
        let name = &top.full;
        if before.is_possible() && rollback {
            if let Err(error) = before.run(&engine, timeout, shell) {
                shell.warning(format_args!("failed to roll back: {error:#}"));
            }
            return Err(error);
        }
        shell.warning(format_args!(
            "services of `{name}` that already started keep running\nhelp: see them with `cargo appbundle status`, remove them with `cargo appbundle remove`"
        ));
        return Err(error);
    }
    top.walk(&mut |node| shell.result("appbundle-stack", serde_json::json!({ "name": node.full }), &node.full));
    Ok(())
}

/// Prints the state of the app's stacks, as text or JSON.
///
/// # Errors
/// When there is no swarm.
pub fn status(options: &Options, json: bool, shell: &Shell) -> Result<()> {
    let (engine, _) = connect()?;
    let apps = Apps::read(options, shell)?;
    let states = state::read(&engine, &Node::tree(&apps)?)?;
    if shell.is_json() {
        states.iter().for_each(|state| shell.result("appbundle-state", state, ""));
        return Ok(());
    }
    shell.answer(json, "appbundle-state", &states, state::text(&states).trim_end())
}

/// Removes the app: the services of each stack, then its inner stacks, then its networks. Waits until all are gone. Named volumes
/// are kept.
///
/// # Errors
/// When there is no swarm, or something still exists after the timeout.
pub fn remove(options: &Options, timeout: Duration, shell: &Shell) -> Result<()> {
    let (engine, _) = connect()?;
    let apps = Apps::read(options, shell)?;
    down::stack(&engine, &Node::tree(&apps)?, timeout, shell)
}

/// Connects to an engine that is a swarm manager.
fn connect() -> Result<(Engine, SwarmFacts)> {
    let engine = Engine::connect(load::START)?;
    if engine.about().is_podman() {
        bail!(Code::SwarmMissing.error("podman does not support swarms\nhelp: set `DOCKER_HOST` to a Docker engine"));
    }
    let facts = engine.swarm()?;
    if !facts.active {
        bail!(Code::SwarmMissing.error(format!(
            "the engine at {} is not part of a swarm\nhelp: turn this machine into a swarm with `docker swarm init`",
            engine.endpoint()
        )));
    }
    if !facts.manager {
        bail!(Code::SwarmMissing.error(format!(
            "the engine at {} is not a manager of its swarm\nhelp: set `DOCKER_HOST` to a manager; `docker node ls` lists them there",
            engine.endpoint()
        )));
    }
    Ok((engine, facts))
}
