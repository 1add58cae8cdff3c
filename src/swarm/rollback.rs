//! Brings back the last version after a deployment that failed.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::images::IMAGE_LABEL;
use super::pause::PAUSE;
use super::tree::Node;
use crate::engine::{Engine, SavedService};
use crate::shell::Shell;

/// The services of all stacks to deploy, as they were before.
pub struct Rollback {
    stacks: Vec<(String, Vec<SavedService>)>,
}

impl Rollback {
    /// Takes note of what there is.
    pub fn before(engine: &Engine, top: &Node<'_>) -> Result<Self> {
        let mut names = Vec::new();
        top.walk_uncontrolled(&mut |node| names.push(node.full.clone()));
        let stacks = names.into_iter().map(|name| Ok((name.clone(), engine.saved(&name)?))).collect::<Result<_>>()?;
        Ok(Self { stacks })
    }

    /// Whether there was something.
    pub fn is_possible(&self) -> bool {
        self.stacks.iter().any(|(_, saved)| !saved.is_empty())
    }

    /// Makes all services what they were, and waits until they run. Services that were not there before stay.
    ///
    /// # Errors
    /// When the swarm rejects it, or a service does not run in time.
    pub fn run(&self, engine: &Engine, timeout: Duration, shell: &Shell) -> Result<()> {
        let mut changed: Vec<(&str, &str)> = Vec::new();
        for (stack, saved) in &self.stacks {
            for service in saved {
                if engine.restore(service, IMAGE_LABEL)? {
                    shell.status("Rolling back", &service.name);
                    changed.push((stack, &service.name));
                }
            }
        }
        let end = Instant::now() + timeout;
        let mut open = changed.clone();
        while let Some((stack, name)) = open.first().copied() {
            std::thread::sleep(PAUSE);
            let services = engine.services(stack)?;
            let runs = |name: &str| {
                services.iter().any(|service| {
                    service.name == name && !service.updating && service.outdated() == 0 && service.running >= service.wanted
                })
            };
            open.retain(|(of, name)| *of != stack || !runs(name));
            if !open.is_empty() && Instant::now() > end {
                bail!("the service `{name}` does not run its last version again after {} s", timeout.as_secs());
            }
        }
        let names: Vec<&str> = changed.iter().map(|(_, name)| *name).collect();
        if !names.is_empty() {
            shell.status("Rolled back", format_args!("{}: the last version runs again", names.join(", ")));
        }
        Ok(())
    }
}
