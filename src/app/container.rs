//! What any runtime needs to run one container.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::{Confinement, Health, ImageRef, Port, Resources, Volume};

/// One container. Every renderer, and the engine, destructures it without `..`, so that a new key is a compiler error in each.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Container {
    /// Its image, as an engine knows it.
    pub image: ImageRef,
    /// What it runs instead of its image's program.
    pub command: Option<Vec<String>>,
    /// Arguments; the image's own if empty.
    pub args: Vec<String>,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// Environment variables whose values the target keeps as secrets.
    pub secrets: BTreeMap<String, SecretKey>,
    /// Files of environment variables, absolute, on the host that deploys.
    pub env_files: Vec<PathBuf>,
    /// Ports.
    pub ports: Vec<Port>,
    /// Volumes.
    pub volumes: Vec<Volume>,
    /// How to see that it is healthy.
    pub health: Option<Health>,
    /// `UID:GID` or a name; the image's own if none.
    pub user: Option<String>,
    /// Where it starts; the image's own if none.
    pub workdir: Option<String>,
    /// Restart policy, in compose's words.
    pub restart: Option<String>,
    /// Network, in compose's words.
    pub network_mode: Option<String>,
    /// Devices of the host.
    pub devices: Vec<String>,
    /// Whether it may do all that the host's root may.
    pub privileged: bool,
    /// What it may do less, or more, than others.
    #[serde(flatten)]
    pub confinement: Confinement,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// How many run.
    pub replicas: Option<u32>,
    /// What it is given of processor and memory.
    #[serde(skip_serializing_if = "Resources::is_empty")]
    pub resources: Resources,
    /// How long it may take to end, in compose's words.
    pub stop_grace_period: Option<String>,
}

impl Container {
    /// Whether its ports are the host's own.
    pub fn is_on_host(&self) -> bool {
        self.network_mode.as_deref() == Some("host")
    }

    /// The number of its user; 0 where that is unknown or has only a name.
    pub fn uid(&self) -> u64 {
        self.user.as_deref().and_then(|user| user.split(':').next()?.parse().ok()).unwrap_or(0)
    }

    /// Whether several run of it where several can.
    pub fn is_replicated(&self) -> bool {
        self.replicas.is_some_and(|replicas| replicas > 1)
    }
}

/// A place where the target keeps a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SecretKey {
    /// The secret's name.
    pub secret: String,
    /// The key in it.
    pub key: String,
}
