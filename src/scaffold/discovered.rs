//! What a workspace's Dockerfiles, compose files and systemd units say of a service: what `init` offers for its table.

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
    /// Arguments of the executable.
    pub args: Vec<String>,
    /// The folder in which it starts.
    pub workdir: Option<String>,
    /// Files of the workspace, relative to the service's manifest, and their absolute paths in the image.
    pub files: Vec<(String, String)>,
    /// The units of systemd that start before it; of services, once these have names.
    pub after: Vec<String>,
    /// What its Dockerfiles install. The base decides about those.
    pub installed: Vec<Installed>,
    /// The files, relative to the workspace.
    pub sources: Vec<String>,
}

impl Discovered {
    /// Whether there is anything to offer.
    pub fn is_empty(&self) -> bool {
        let Self { ports, health, environment, args, workdir, files, after, installed: _, sources: _ } = self;
        let lists = [ports.is_empty(), environment.is_empty(), args.is_empty(), files.is_empty(), after.is_empty()];
        lists.into_iter().all(|is_empty| is_empty) && health.is_none() && workdir.is_none()
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
        if !other.args.is_empty() {
            self.args = other.args;
        }
        self.workdir = other.workdir.or(self.workdir.take());
        self.files.extend(other.files);
        self.after.extend(other.after);
        self.installed.extend(other.installed);
        self.sources.push(source.to_owned());
    }
}
