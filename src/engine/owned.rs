//! Finds containers and networks by a label.

use std::collections::HashMap;

use anyhow::Result;
use bollard::models::ContainerSummaryStateEnum;
use bollard::query_parameters::{ListContainersOptionsBuilder, ListNetworksOptionsBuilder};

use super::Engine;

/// A container or network that carries a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// The engine's id for it.
    pub id: String,
    /// The name it was created with.
    pub name: String,
    /// The label's value.
    pub value: String,
    /// Whether it runs; always false for a network.
    pub running: bool,
}

impl Engine {
    /// All containers with this label, running or not.
    pub fn containers_with(&self, label: &str) -> Result<Vec<Labelled>> {
        let filters = HashMap::from([("label", vec![label])]);
        let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        let found = self.wait("listing containers", self.docker.list_containers(Some(options)))?;
        let labelled = found.into_iter().map(|container| Labelled {
            id: container.id.unwrap_or_default(),
            name: container.names.into_iter().flatten().next().unwrap_or_default().trim_start_matches('/').to_owned(),
            value: container.labels.and_then(|mut labels| labels.remove(label)).unwrap_or_default(),
            running: container.state == Some(ContainerSummaryStateEnum::RUNNING),
        });
        Ok(labelled.collect())
    }

    /// All networks with this label.
    pub fn networks_with(&self, label: &str) -> Result<Vec<Labelled>> {
        let filters = HashMap::from([("label", vec![label])]);
        let options = ListNetworksOptionsBuilder::new().filters(&filters).build();
        let found = self.wait("listing networks", self.docker.list_networks(Some(options)))?;
        let labelled = found.into_iter().map(|network| Labelled {
            id: network.id.unwrap_or_default(),
            name: network.name.unwrap_or_default(),
            value: network.labels.and_then(|mut labels| labels.remove(label)).unwrap_or_default(),
            running: false,
        });
        Ok(labelled.collect())
    }
}
