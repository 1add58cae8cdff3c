//! What users write of a container: of a service, of one that a Dockerfile makes, and of a dependency.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::deployment::{ResourcesTable, SecretTable};
use super::scalar::{OneOrMany, PortValue, Scalar};
use crate::app::Confinement;

/// How a container runs.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct ContainerTable {
    /// What to run instead of the image's program, which for a package is its executable.
    pub command: Option<Vec<String>>,
    /// Arguments of the program.
    pub args: Vec<String>,
    /// Environment variables.
    pub environment: BTreeMap<String, Scalar>,
    /// Environment variables whose values the target keeps as secrets: `{ TOKEN = { secret = "camera", key = "token" } }`.
    /// Compose and Swarm take them from the environment of who starts the app.
    pub secrets: BTreeMap<String, SecretTable>,
    /// A file of `NAME=value` lines, read when the container starts. Relative to the manifest.
    pub env_file: Option<OneOrMany>,
    /// `"80:8080"` or `"53:53/udp"`: host port and container port. `"8080"` alone is a port for other services of the app, published
    /// nowhere.
    pub ports: Vec<PortValue>,
    /// `"data:/data"` (a named volume) or `"/dev/shm:/dev/shm:ro"` (a path of the host).
    pub volumes: Vec<String>,
    /// `USER` or `UID:GID`. Default: for a package `65532:65532`, which is not root; else the image's own.
    pub user: Option<String>,
    /// The folder it starts in. Default: for a package `/`; else the image's own.
    pub workdir: Option<String>,
    /// How to see that it is healthy.
    pub healthcheck: Option<HealthTable>,
    /// `no`, `always`, `on-failure` or `unless-stopped`. Default: `unless-stopped`.
    pub restart: Option<String>,
    /// `host`, `bridge` or `none`.
    pub network_mode: Option<String>,
    /// Devices of the host, such as `"/dev/video0:/dev/video0"`.
    pub devices: Vec<String>,
    /// Whether it may do all that the host's root may.
    pub privileged: bool,
    /// What it may do less, or more, than others.
    #[serde(flatten)]
    pub confinement: Confinement,
    /// Labels of the image and the container.
    pub labels: BTreeMap<String, String>,
    /// How many of it run, where the target can run several.
    pub replicas: Option<u32>,
    /// What it is given of processor and memory: `{ cpu = "100m", memory = "64Mi", memory-limit = "128Mi" }`.
    pub resources: Option<ResourcesTable>,
    /// How long it may take to end after SIGTERM, such as `10s`. Default: the target's.
    pub stop_grace_period: Option<String>,
}

/// How to see that a container is healthy: an HTTP path at a port answers 2xx, a port takes connections, or a command in the
/// container ends with 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct HealthTable {
    /// URL path.
    pub path: Option<String>,
    /// Port of the path; without a path, the port that has to take connections.
    pub port: Option<u16>,
    /// Command instead of a path.
    pub command: Option<Vec<String>>,
    /// Time between two checks, such as `10s`.
    pub interval: Option<String>,
    /// How long one answer may take, such as `3s`.
    pub timeout: Option<String>,
    /// Failures in a row that make it unhealthy.
    pub retries: Option<u32>,
    /// Time to start up, such as `5s`.
    pub start_period: Option<String>,
}
