//! Everything that a runtime needs to run one container.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::{Confinement, Health, ImageRef, Port, Resources, Volume};

/// A container. Every renderer and the engine destructure it without `..`, so that a new field is a compiler error in each of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Container {
    /// The image's name in the engine.
    pub image: ImageRef,
    /// Program to run instead of the image's entrypoint.
    pub command: Option<Vec<String>>,
    /// Arguments; if empty, the image's own.
    pub args: Vec<String>,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// Environment variables whose values are secrets of the target.
    pub secrets: BTreeMap<String, SecretKey>,
    /// Absolute paths of files with environment variables, on the machine that deploys.
    pub env_files: Vec<PathBuf>,
    /// Ports.
    pub ports: Vec<Port>,
    /// Volumes.
    pub volumes: Vec<Volume>,
    /// Health check.
    pub health: Option<Health>,
    /// `UID:GID` or a name; if `None`, the image's own.
    pub user: Option<String>,
    /// Working directory; if `None`, the image's own.
    pub workdir: Option<String>,
    /// Restart policy, in compose's notation.
    pub restart: Option<String>,
    /// Network mode, in compose's notation.
    pub network_mode: Option<String>,
    /// Devices of the host.
    pub devices: Vec<String>,
    /// Whether it has all privileges of root on the host.
    pub privileged: bool,
    /// Restrictions and extra privileges.
    #[serde(flatten)]
    pub confinement: Confinement,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Number of replicas.
    pub replicas: Option<u32>,
    /// Processor and memory.
    #[serde(skip_serializing_if = "Resources::is_empty")]
    pub resources: Resources,
    /// Time between SIGTERM and SIGKILL, in compose's notation.
    pub stop_grace_period: Option<String>,
}

impl Container {
    /// Whether it uses the host's network.
    pub fn is_on_host(&self) -> bool {
        self.network_mode.as_deref() == Some("host")
    }

    /// Whether it has several replicas, where the target supports them.
    pub fn is_replicated(&self) -> bool {
        self.replicas.is_some_and(|replicas| replicas > 1)
    }
}

/// A reference to a secret of the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SecretKey {
    /// The secret's name.
    pub secret: String,
    /// The key in it.
    pub key: String,
}
