//! Finds the containers of an app, with what users ask about them.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;
use bollard::models::ContainerSummary;
use bollard::query_parameters::ListContainersOptionsBuilder;

use super::Engine;

/// A container that was found by a label.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundContainer {
    /// The engine's id for it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// All its labels.
    pub labels: BTreeMap<String, String>,
    /// Its image's name.
    pub image: String,
    /// Its state, such as `running` or `exited`.
    pub state: String,
    /// The same for people, such as `Up 2 minutes`.
    pub status: String,
    /// Its published ports, such as `127.0.0.1:8080->80/tcp`.
    pub ports: Vec<String>,
    /// When it was created, in seconds since 1970.
    created: i64,
}

impl Engine {
    /// The name of the container that publishes a port of the engine's machine.
    pub fn publisher(&self, port: u16) -> Result<Option<String>> {
        let listed =
            self.wait("listing containers", self.docker.list_containers(Some(ListContainersOptionsBuilder::new().build())))?;
        let publishes =
            |container: &ContainerSummary| container.ports.iter().flatten().any(|published| published.public_port == Some(port));
        let found = listed.into_iter().find(publishes).and_then(|container| container.names?.into_iter().next());
        Ok(found.map(|name| name.trim_start_matches('/').to_owned()))
    }

    /// All containers whose label `name` is `value`, the oldest first.
    pub fn containers_where(&self, name: &str, value: &str) -> Result<Vec<FoundContainer>> {
        let filters = HashMap::from([("label", vec![format!("{name}={value}")])]);
        let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        let listed = self.wait("listing containers", self.docker.list_containers(Some(options)))?;
        let found = listed.into_iter().map(|container| {
            let published = container.ports.unwrap_or_default().into_iter().filter_map(|port| {
                let address = port.ip.unwrap_or_else(|| "0.0.0.0".to_owned());
                let protocol = port.typ.map_or_else(|| "tcp".to_owned(), |kind| kind.to_string());
                Some(format!("{address}:{}->{}/{protocol}", port.public_port?, port.private_port))
            });
            let mut ports: Vec<String> = published.collect();
            ports.sort();
            FoundContainer {
                id: container.id.unwrap_or_default(),
                name: container.names.into_iter().flatten().next().unwrap_or_default().trim_start_matches('/').to_owned(),
                labels: container.labels.unwrap_or_default().into_iter().collect(),
                image: container.image.unwrap_or_default(),
                state: container.state.map(|state| state.to_string()).unwrap_or_default(),
                status: container.status.unwrap_or_default(),
                ports,
                created: container.created.unwrap_or_default(),
            }
        });
        let mut found: Vec<FoundContainer> = found.collect();
        // Engines list the newest first, and tell seconds only.
        found.reverse();
        found.sort_by_key(|container| container.created);
        Ok(found)
    }
}
