//! Starts services again that crashed, or whose containers were removed.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::Result;

use super::Loop;
use crate::dev::running::Running;
use crate::runtime::Down;

impl Loop<'_, '_> {
    /// Polls the containers, tells of services that are down, and starts those again whose pause is over. Services with
    /// `restart = "no"` stay down. The inner error is why one could not be started.
    ///
    /// # Errors
    /// When the engine stops answering.
    pub(super) fn revive(&mut self, running: &mut BTreeMap<String, Running>) -> Result<Result<()>> {
        self.started.look()?;
        let is_once = |name: &str| running.get(name).is_none_or(|one| one.launch.container.restart.as_deref() == Some("no"));
        let down: BTreeMap<String, Down> = self
            .started
            .down()
            .filter(|(name, down)| *down == Down::Removed || !is_once(name))
            .map(|(name, down)| (name.to_owned(), down))
            .collect();
        let now = Instant::now();
        for (name, pause) in self.revivals.note(&down.keys().cloned().collect::<Vec<_>>(), now) {
            self.shell.status("Restarting", format_args!("{name} in {} s", pause.as_secs()));
        }
        for name in self.revivals.due(now) {
            let Some(one) = running.get(&name) else { continue };
            let started = match down.get(&name) {
                Some(Down::Removed) => self.started.end_one(&name).and_then(|()| self.started.start(&one.launch)),
                _ => self.started.start_again(std::slice::from_ref(&name)),
            };
            if let Err(error) = started {
                running.remove(&name);
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }
}
