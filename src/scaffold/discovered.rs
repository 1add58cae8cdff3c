//! What a workspace's Dockerfiles and compose files say of a service: what `init` offers for its table.

use std::collections::BTreeMap;

use super::apt::Installed;
use crate::app::Port;

/// What is known of one service, and the files that say so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discovered {
    /// Ports, in compose's short form.
    pub ports: Vec<String>,
    /// The path and port of a health check over HTTP.
    pub health: Option<(String, u16)>,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// What its Dockerfiles install. The base decides about those.
    pub installed: Vec<Installed>,
    /// The files, relative to the workspace.
    pub sources: Vec<String>,
}

impl Discovered {
    /// Whether there is anything to offer.
    pub fn is_empty(&self) -> bool {
        self.ports.is_empty() && self.health.is_none() && self.environment.is_empty()
    }

    /// Adds what another file says; what it says of the same thing replaces what was there.
    pub(super) fn merge(&mut self, other: Self, source: &str) {
        if other == Self::default() {
            return;
        }
        for port in other.ports {
            let container = |port: &str| Port::parse(port).ok().map(|port| port.container);
            self.ports.retain(|old| container(old) != container(&port));
            self.ports.push(port);
        }
        self.health = other.health.or(self.health.take());
        self.environment.extend(other.environment);
        self.installed.extend(other.installed);
        self.sources.push(source.to_owned());
    }
}
