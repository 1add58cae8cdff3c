//! Whether a container is healthy, and how to find out.

use serde::Serialize;

/// A health check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// What is asked.
    #[serde(flatten)]
    pub probe: Probe,
    /// Time between two checks, in compose's words.
    pub interval: Option<String>,
    /// How long one answer may take, in compose's words.
    pub timeout: Option<String>,
    /// Failures in a row that make it unhealthy.
    pub retries: Option<u32>,
    /// Time to start up, in compose's words.
    pub start_period: Option<String>,
}

/// What a health check asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Probe {
    /// A URL path at a port answers with 2xx.
    Http(String, u16),
    /// A port takes connections.
    Port(u16),
    /// A command in the container ends with 0.
    Command(Vec<String>),
}

impl Health {
    /// A check without times: the target's defaults apply.
    pub fn of(probe: Probe) -> Self {
        Self { probe, interval: None, timeout: None, retries: None, start_period: None }
    }

    /// The command, if it is asked by one.
    pub fn command(&self) -> Option<&[String]> {
        match &self.probe {
            Probe::Command(command) => Some(command),
            Probe::Http(..) | Probe::Port(_) => None,
        }
    }
}
