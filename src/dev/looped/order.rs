//! Starts and restarts services in the order in which they depend on each other.

use std::collections::BTreeMap;

use anyhow::Result;

use super::Loop;
use crate::dev::running::Running;
use crate::pipeline;

impl Loop<'_, '_> {
    /// Starts services in dependency order, each once the services it depends on are healthy. The `restarted` ones start in
    /// batches; those in `first` already run.
    pub(super) fn start_in_order(
        &mut self,
        wanted: Vec<Running>,
        (restarted, first): (&[String], &[String]),
        running: &mut BTreeMap<String, Running>,
        names: &mut Vec<String>,
    ) -> Result<()> {
        let mut batch: Vec<Running> = Vec::new();
        for new in wanted {
            let name = new.launch.name.clone();
            if first.contains(&name) {
                running.insert(name.clone(), new);
                names.push(name);
                continue;
            }
            let again = restarted.contains(&name);
            if !again || new.launch.after.iter().any(|other| batch.iter().any(|new| new.launch.name == *other)) {
                self.start_again(&mut batch, running, names)?;
            }
            let before: Vec<String> = new.launch.after.iter().filter(|name| names.contains(name)).cloned().collect();
            if !before.is_empty()
                && let Err(error) = self.started.wait_for(&before, self.timeout)
            {
                pipeline::report(&error, self.shell);
            }
            if self.interrupt.count() > 0 {
                return Ok(());
            }
            if again {
                batch.push(new);
                continue;
            }
            let before = running.get(&name).map(|old| old.launch.addresses()).unwrap_or_default();
            let hosts = new.launch.addresses();
            self.start(new, running, names)?;
            if before != hosts && !hosts.is_empty() {
                self.shell.status("Serving", format_args!("{name} at {}", hosts.join(", ")));
            }
        }
        self.start_again(&mut batch, running, names)
    }

    fn start_again(
        &mut self,
        batch: &mut Vec<Running>,
        running: &mut BTreeMap<String, Running>,
        names: &mut Vec<String>,
    ) -> Result<()> {
        let again: Vec<String> = batch.iter().map(|new| new.launch.name.clone()).collect();
        let (done, left) = self.inside.restart(&again, self.interrupt, self.shell);
        self.started.mark_unwell(&done);
        self.started.end_all(&left, &[])?;
        self.started.start_again(&left)?;
        running.extend(batch.drain(..).map(|new| (new.launch.name.clone(), new)));
        names.extend(again);
        Ok(())
    }

    pub(super) fn start(&mut self, new: Running, running: &mut BTreeMap<String, Running>, names: &mut Vec<String>) -> Result<()> {
        let name = new.launch.name.clone();
        if running.get(&name) == Some(&new) {
            return Ok(());
        }
        match running.remove(&name) {
            Some(_) => self.started.replace(&new.launch)?,
            None => {
                self.started.end_one(&name)?;
                self.started.start(&new.launch)?;
            }
        }
        running.insert(name.clone(), new);
        names.push(name);
        Ok(())
    }
}
