//! Takes over containers that another process started.

use std::time::Instant;

use anyhow::Result;

use super::Started;
use crate::engine::FoundContainer;
use crate::runtime::container::LiveContainer;
use crate::runtime::{health, labels};

impl Started<'_> {
    /// Takes over the containers of the run `run`, with its network, so that they can be stopped.
    ///
    /// # Errors
    /// When the engine stops answering.
    pub fn adopt(&mut self, run: &str, containers: &[&FoundContainer]) -> Result<()> {
        (self.name, self.network) = (run.to_owned(), true);
        for found in containers {
            let label = |name: &str| found.labels.get(name).map(String::as_str);
            let after = label(labels::AFTER).into_iter().flat_map(|names| names.split(',')).map(str::to_owned).collect();
            self.containers.push(LiveContainer {
                service: label(labels::SERVICE).unwrap_or(&found.name).to_owned(),
                after,
                name: found.name.clone(),
                image: found.image.clone(),
                health: None,
                grace: health::duration(label(labels::GRACE)),
                host_network: false,
                dependency: false,
                well: true,
                answer: None,
                since: Instant::now(),
                told: false,
                ended: !self.engine.state(&found.name)?.is_some_and(|state| state.running),
                down: None,
                shown: Default::default(),
                follower: None,
            });
        }
        Ok(())
    }
}
