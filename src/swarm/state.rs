//! The state of deployed stacks.

use std::fmt::Write as _;

use anyhow::Result;
use serde::Serialize;

use super::tree::Node;
use crate::engine::{Engine, SwarmService};
use crate::shell::count;

/// The state of one stack. Keys are only ever added, never changed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct StackState {
    stack: String,
    parent: Option<String>,
    services: Vec<ServiceState>,
}

/// The state of one service.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct ServiceState {
    service: String,
    image: String,
    wanted: u64,
    running: u64,
    health: &'static str,
    failures: usize,
    last_failure: Option<String>,
    /// Running replicas of an older version.
    outdated: usize,
}

/// Reads the state of all stacks, the outermost first.
pub fn read(engine: &Engine, top: &Node<'_>) -> Result<Vec<StackState>> {
    let mut states = Vec::new();
    let mut nodes = vec![top];
    while let Some(node) = nodes.pop() {
        nodes.extend(node.children.iter().rev());
        let mut there = engine.services(&node.full)?;
        let mut services = Vec::new();
        for name in node.waves().into_iter().flatten() {
            let full = format!("{}_{name}", node.full);
            let at = there.iter().position(|service| service.name == full);
            services.push(state(name, at.map(|at| there.remove(at)).as_ref()));
        }
        for other in there {
            let name = other.name.strip_prefix(&format!("{}_", node.full)).unwrap_or(&other.name).to_owned();
            services.push(state(name, Some(&other)));
        }
        states.push(StackState { stack: node.full.clone(), parent: node.parent.clone(), services });
    }
    Ok(states)
}

fn state(name: String, seen: Option<&SwarmService>) -> ServiceState {
    let health = match seen {
        None => "absent",
        Some(service) if service.updating => "updating",
        Some(service) if service.paused => "failing",
        Some(service) if service.running < service.wanted && !service.failed().is_empty() => "failing",
        Some(service) if service.running < service.wanted => "starting",
        Some(service) if service.checked => "healthy",
        Some(_) => "running",
    };
    let seen = seen.cloned().unwrap_or_default();
    let failed = seen.failed();
    let last = failed.iter().rfind(|replica| replica.current).or(failed.last());
    ServiceState {
        service: name,
        wanted: seen.wanted,
        running: seen.running,
        health,
        failures: failed.len(),
        last_failure: last.and_then(|replica| replica.told()),
        outdated: seen.outdated(),
        image: seen.image,
    }
}

/// Formats the state as a table.
pub fn text(states: &[StackState]) -> String {
    let services = || states.iter().flat_map(|state| &state.services);
    let names = services().map(|service| service.service.len()).max().unwrap_or_default();
    let images = services().map(|service| service.image.len()).max().unwrap_or_default();
    let mut out = String::new();
    for state in states {
        let _ = writeln!(out, "{}", state.stack);
        for service in &state.services {
            let replicas = format!("{}/{}", service.running, service.wanted);
            let said = service.last_failure.as_ref().filter(|_| service.health == "failing");
            let said = said.map(|said| format!(": {said}")).unwrap_or_default();
            let old = match service.outdated {
                0 => String::new(),
                old => format!(" ({} of an older version)", count(old, "replica")),
            };
            let _ = writeln!(
                out,
                "  {:<names$}  {replicas:>5}  {:<images$}  {}{said}{old}",
                service.service, service.image, service.health
            );
        }
    }
    out
}
