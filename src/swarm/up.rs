//! Deploys a stack.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::certificate;
use super::images::IMAGE_LABEL;
use super::pause::PAUSE;
use super::tree::Node;
use super::wait::{Before, LAST_WORDS, show};
use crate::diagnostic::Code;
use crate::engine::{Engine, SwarmFacts, SwarmService};
use crate::render::{self, StackFile};
use crate::shell::{Shell, count};

/// Deploys a stack: its network, its inner stacks, then its services in waves, each wave once the one before runs.
pub fn stack(engine: &Engine, facts: &SwarmFacts, node: &Node<'_>, timeout: Duration, shell: &Shell) -> Result<()> {
    let network = node.family();
    if engine.create_overlay(&network, &node.full)? {
        shell.status("Creating", format_args!("network {network}"));
    }
    let (by_controller, direct): (Vec<&Node<'_>>, Vec<&Node<'_>>) =
        node.children.iter().partition(|child| child.has_controller());
    direct.into_iter().try_for_each(|child| stack(engine, facts, child, timeout, shell))?;
    let folder = crate::fs::scratch()?;
    let mut file = render::stack_file(node.plan, node.stack, node.alias.as_deref(), folder.path());
    mark(engine, &mut file)?;
    certificate::provide(engine, facts, node, shell)?;
    let mut running: Vec<String> = Vec::new();
    let waves = node.waves();
    for (at, wave) in waves.iter().enumerate() {
        running.extend(wave.iter().cloned());
        shell.status("Starting", format_args!("{} of {}", wave.join(", "), node.full));
        let before = Before::of(engine, &node.full)?;
        apply(engine, facts, node, &file, (folder.path(), &running), at + 1 == waves.len())?;
        before.wait(engine, wave, timeout, shell)?;
    }
    for child in by_controller {
        shell.status("Waiting", format_args!("for {}, which its controller deploys", child.full));
        appear(engine, node, child, timeout, shell)?;
    }
    if waves.is_empty() {
        shell.status("Empty", format_args!("{}: it contains only stacks", node.full));
    } else {
        shell.status("Running", format_args!("{}: {}", node.full, count(running.len(), "service")));
    }
    Ok(())
}

/// Waits until a controller in the stack `around` has deployed its stack with the current images.
fn appear(engine: &Engine, around: &Node<'_>, node: &Node<'_>, timeout: Duration, shell: &Shell) -> Result<()> {
    let end = Instant::now() + timeout;
    let mut members = around.stack.members(&around.plan.services).into_iter();
    let controller = members.find(|service| service.controls.as_deref() == Some(node.stack.name.as_str()));
    let controller = controller.map(|controller| format!("{}_{}", around.full, controller.name)).unwrap_or_default();
    let mut stacks: Vec<&Node<'_>> = Vec::new();
    node.walk_uncontrolled(&mut |node| stacks.push(node));
    let mut told = false;
    loop {
        let (mut late, mut old) = (None, false);
        for node in &stacks {
            let services = engine.services(&node.full)?;
            for name in node.waves().into_iter().flatten().map(|name| format!("{}_{name}", node.full)) {
                let found = services.iter().find(|service| service.name == name);
                let outdated = found.map_or(Ok(false), |service| is_outdated(engine, service))?;
                let runs = found.is_some_and(|service| service.running >= service.wanted && !service.updating);
                late = late.or(Some(name).filter(|_| outdated || !runs));
                old |= outdated;
            }
        }
        let Some(late) = late else { return Ok(()) };
        if old && !told {
            // The controller checks its images again on SIGHUP.
            shell.status("Updating", format_args!("{}: images were rebuilt", node.full));
            let prefix = format!("/{controller}.");
            let containers = engine.containers_of(&around.full)?.into_iter().filter(|name| name.starts_with(&prefix));
            containers.into_iter().try_for_each(|name| engine.signal(name.trim_start_matches('/'), "SIGHUP"))?;
            told = true;
        }
        if Instant::now() > end {
            show(&controller, engine.last_words(&controller, LAST_WORDS), shell);
            bail!("the controller of the stack `{}` did not start `{late}` in time", node.full);
        }
        std::thread::sleep(PAUSE);
    }
}

/// Whether the image was rebuilt since its replicas started; false for replicas without the label.
fn is_outdated(engine: &Engine, service: &SwarmService) -> Result<bool> {
    let Some(sum) = service.labels.get(IMAGE_LABEL) else { return Ok(false) };
    Ok(engine.image(&service.image)?.is_some_and(|facts| facts.id != *sum))
}

/// Labels each service with its image id, so that a rebuilt image is deployed although its name is the same.
fn mark(engine: &Engine, file: &mut StackFile) -> Result<()> {
    for (_, service) in file.document["services"].as_object_mut().into_iter().flatten() {
        let image = service["image"].as_str().unwrap_or_default();
        let Some(facts) = engine.image(image)? else { continue };
        if let Some(map) = service.as_object_mut() {
            match map.entry("labels").or_insert_with(|| json!({})) {
                Value::Object(labels) => drop(labels.insert(IMAGE_LABEL.into(), facts.id.into())),
                Value::Array(labels) => labels.push(format!("{IMAGE_LABEL}={}", facts.id).into()),
                _ => {}
            }
        }
    }
    Ok(())
}

/// Deploys the file with only these services. The `last` call also removes services that are no longer in the file.
fn apply(
    engine: &Engine,
    facts: &SwarmFacts,
    node: &Node<'_>,
    file: &StackFile,
    (folder, running): (&Path, &[String]),
    last: bool,
) -> Result<()> {
    let mut document = file.document.clone();
    if let Some(services) = document["services"].as_object_mut() {
        services.retain(|name, _| running.contains(name));
        if !services.contains_key("gateway")
            && let Some(document) = document.as_object_mut()
        {
            document.remove("configs");
            document.remove("secrets");
        }
    }
    let path = folder.join("stack.yml");
    crate::fs::write(&path, render::yaml(&document)?.as_bytes())?;
    if let Some((name, text)) = &file.gateway {
        crate::fs::write(&folder.join(name), text.as_bytes())?;
    }
    let mut command = docker(engine, &path, node, last);
    command.envs(node.environment.beyond_process()).envs(node.variables(&facts.host)).envs(secrets(node));
    crate::process::capture(&mut command).map(drop).with_context(|| format!("failed to deploy the stack `{}`", node.full))
}

/// Checks that every secret of the stacks to deploy is set.
///
/// # Errors
/// Names the first missing one.
pub fn check_secrets(top: &Node<'_>) -> Result<()> {
    let mut missing = None;
    top.walk_uncontrolled(&mut |node| {
        for service in node.stack.members(&node.plan.services) {
            let unset = service.container.secrets.keys().find(|name| node.environment.get(name).is_none());
            missing = missing.take().or_else(|| unset.map(|name| (service.name.to_string(), name.clone())));
        }
    });
    let Some((service, name)) = missing else { return Ok(()) };
    bail!(Code::VariableMissing.error(format!(
        "the secret `{name}` of the service `{service}` is not set\nhelp: set it in `.env` next to the workspace's `Cargo.toml`, or before the command: `{name}=… cargo appbundle deploy --to swarm`"
    )))
}

/// The secrets of the stack's services escaped so that Docker does not substitute in them.
fn secrets(node: &Node<'_>) -> BTreeMap<String, String> {
    let members = node.stack.members(&node.plan.services);
    let mut found = BTreeMap::new();
    for name in members.iter().flat_map(|service| service.container.secrets.keys()) {
        if let Some(value) = node.environment.get(name) {
            found.insert(name.clone(), render::literal(&value));
        }
    }
    found
}

fn docker(engine: &Engine, path: &Path, node: &Node<'_>, last: bool) -> Command {
    let mut command = Command::new("docker");
    command.env("DOCKER_HOST", &engine.endpoint().url).env_remove("DOCKER_CONTEXT");
    command.args(["stack", "deploy", "--compose-file"]).arg(path);
    if node.stack.repo.is_some() {
        command.arg("--with-registry-auth");
    } else {
        command.args(["--resolve-image", "never"]);
    }
    if last {
        command.arg("--prune");
    }
    command.arg(&node.full);
    command
}
