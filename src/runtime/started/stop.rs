//! Stops containers, and removes them and their network.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::Started;
use crate::runtime::container::{LiveContainer, await_followers};
use crate::shell::count;

impl Started<'_> {
    /// Stops all containers, each once those that depend on it have ended; then removes them and their network.
    pub fn stop(&mut self) -> Result<()> {
        let mut faults = Vec::new();
        let mut hint = if self.interrupt.count() == 1 { "; press Ctrl-C again to kill" } else { "" };
        let mut left: Vec<&LiveContainer> = self.containers.iter().rev().filter(|container| !container.ended).collect();
        while !left.is_empty() {
            let waited_for = |one: &LiveContainer| left.iter().any(|other| other.needs(one));
            let (mut wave, rest): (Vec<_>, Vec<_>) = left.iter().partition(|container| !waited_for(container));
            left = rest;
            if wave.is_empty() {
                wave = std::mem::take(&mut left);
            }
            let names: Vec<&str> = wave.iter().map(|container| container.service.as_str()).collect();
            self.shell.status("Stopping", format_args!("{}{}", names.join(", "), std::mem::take(&mut hint)));
            faults.extend(together(&wave, |container| self.end(container)));
        }
        let all: Vec<&LiveContainer> = self.containers.iter().rev().collect();
        // Show their last output before they are removed.
        if faults.is_empty() {
            await_followers(&all);
        }
        faults.extend(together(&all, |container| self.engine.remove(&container.name)));
        if self.network {
            faults.extend(self.engine.remove_network(&self.name).err());
        }
        if faults.is_empty() {
            self.shell.status("Removed", format_args!("{} and the network", count(all.len(), "container")));
        }
        faults.into_iter().next().map_or(Ok(()), Err)
    }

    /// Sends SIGTERM to a container, and SIGKILL after its grace period or when the user has interrupted twice.
    pub(super) fn end(&self, LiveContainer { name, grace, .. }: &LiveContainer) -> Result<()> {
        if !self.engine.state(name)?.is_some_and(|state| state.running) {
            return Ok(());
        }
        let grace = self.manner.grace_of(*grace);
        if !grace.is_zero() {
            self.engine.signal(name, "SIGTERM")?;
        }
        let end = Instant::now() + grace;
        while Instant::now() < end && self.interrupt.count() < 2 {
            if !self.engine.state(name)?.is_some_and(|state| state.running) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        if !grace.is_zero() {
            self.shell.warning(format_args!("`{name}` did not exit on SIGTERM; killed"));
        }
        self.engine.signal(name, "SIGKILL")
    }
}

/// Does something with all containers at once; gives the errors.
fn together(containers: &[&LiveContainer], act: impl Fn(&LiveContainer) -> Result<()> + Sync) -> Vec<anyhow::Error> {
    let act = &act;
    std::thread::scope(|scope| {
        let threads: Vec<_> = containers.iter().map(|container| scope.spawn(move || act(container))).collect();
        let joined = threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        joined.filter_map(Result::err).collect()
    })
}
