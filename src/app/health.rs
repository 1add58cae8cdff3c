//! Health checks of containers.

use serde::Serialize;

/// A health check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// What is checked.
    #[serde(flatten)]
    pub probe: Probe,
    /// Time between checks, in compose's notation.
    pub interval: Option<String>,
    /// Time limit of one check, in compose's notation.
    pub timeout: Option<String>,
    /// Consecutive failures after which the container is unhealthy.
    pub retries: Option<u32>,
    /// Startup time during which failures do not count, in compose's notation.
    pub start_period: Option<String>,
    /// The program in the image that asks at a port; `None` if the image has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
}

/// What a health check tests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Probe {
    /// An HTTP request for a path on a port is answered with 2xx.
    Http(String, u16),
    /// A port accepts connections.
    Port(u16),
    /// gRPC's health service at a port answers SERVING.
    Grpc(u16),
    /// A command in the container exits with 0.
    Command(Vec<String>),
}

impl Health {
    /// A check with the target's default times.
    pub fn of(probe: Probe) -> Self {
        Self { probe, interval: None, timeout: None, retries: None, start_period: None, client: None }
    }

    /// The command, if the check is one.
    pub fn command(&self) -> Option<&[String]> {
        match &self.probe {
            Probe::Command(command) => Some(command),
            Probe::Http(..) | Probe::Port(_) | Probe::Grpc(_) => None,
        }
    }

    /// The port that is asked, unless the check is a command.
    pub fn port(&self) -> Option<u16> {
        match &self.probe {
            Probe::Http(_, port) | Probe::Port(port) | Probe::Grpc(port) => Some(*port),
            Probe::Command(_) => None,
        }
    }

    /// The command line that checks it from inside of the container; `None` if the image has no program for that.
    pub fn inside(&self) -> Option<Vec<String>> {
        let client = || self.client.clone();
        match &self.probe {
            Probe::Command(command) => Some(command.clone()),
            Probe::Http(path, port) => Some(vec![client()?, port.to_string(), path.clone()]),
            Probe::Port(port) => Some(vec![client()?, port.to_string()]),
            Probe::Grpc(port) => Some(vec![client()?, port.to_string(), "grpc".to_owned()]),
        }
    }
}
