//! Removes a stack.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::pause::PAUSE;
use super::tree::Node;
use crate::engine::Engine;
use crate::shell::Shell;

/// Removes the stack's services, last started first, then its inner stacks, then its networks and configs.
pub fn stack(engine: &Engine, node: &Node<'_>, timeout: Duration, shell: &Shell) -> Result<()> {
    let there: Vec<String> = engine.services(&node.full)?.into_iter().map(|service| service.name).collect();
    let known: Vec<Vec<String>> =
        node.waves().iter().map(|wave| wave.iter().map(|name| format!("{}_{name}", node.full)).collect()).collect();
    let unknown: Vec<String> = there.iter().filter(|name| !known.iter().flatten().any(|k| k == *name)).cloned().collect();
    for wave in std::iter::once(unknown).chain(known.into_iter().rev()) {
        let wave: Vec<String> = wave.into_iter().filter(|name| there.contains(name)).collect();
        if wave.is_empty() {
            continue;
        }
        shell.status("Stopping", wave.join(", "));
        wave.iter().try_for_each(|name| engine.remove_service(name))?;
        until_empty(timeout, &format!("the replicas of {}", wave.join(", ")), || {
            let prefixes: Vec<String> = wave.iter().map(|name| format!("/{name}.")).collect();
            let running = engine.containers_of(&node.full)?;
            Ok(running.into_iter().filter(|name| prefixes.iter().any(|prefix| name.starts_with(prefix))).collect())
        })?;
    }
    for child in node.children.iter().rev() {
        stack(engine, child, timeout, shell)?;
    }
    until_empty(timeout, &format!("the networks of {}", node.full), || engine.remove_rest(&node.full))?;
    shell.status("Removed", &node.full);
    Ok(())
}

fn until_empty(timeout: Duration, what: &str, mut left: impl FnMut() -> Result<Vec<String>>) -> Result<()> {
    let end = Instant::now() + timeout;
    loop {
        let left = left()?;
        if left.is_empty() {
            return Ok(());
        }
        if Instant::now() > end {
            bail!("{what} still exist: {}", left.join(", "));
        }
        std::thread::sleep(PAUSE);
    }
}
