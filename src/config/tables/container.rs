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
    /// Program to run instead of the image's; a package's image runs its executable.
    pub command: Option<Vec<String>>,
    /// Arguments for the program.
    pub args: Vec<String>,
    /// Environment variables.
    pub environment: BTreeMap<String, Scalar>,
    /// Environment variables whose values are secrets: `{ TOKEN = { secret = "camera", key = "token" } }`.
    /// For compose and Swarm, the values come from the environment of the command that starts the app.
    pub secrets: BTreeMap<String, SecretTable>,
    /// A file of `NAME=value` lines, read when the container starts. Relative to the manifest.
    pub env_file: Option<OneOrMany>,
    /// `"80:8080"` or `"53:53/udp"`: host port and container port. `"8080"` alone is open only to the app's other services and published
    /// nowhere.
    pub ports: Vec<PortValue>,
    /// `"data:/data"` (a named volume) or `"/dev/shm:/dev/shm:ro"` (a path of the host).
    pub volumes: Vec<String>,
    /// `USER` or `UID:GID`; a package's image gets a user that its base lacks. Default: `65532:65532` (not root) for a package, otherwise the image's user.
    pub user: Option<String>,
    /// Working directory. Default: `/` for a package, otherwise the image's.
    pub workdir: Option<String>,
    /// How to check that it is healthy.
    pub healthcheck: Option<HealthTable>,
    /// Restart policy: `no`, `always`, `on-failure` or `unless-stopped`. Default: `unless-stopped`.
    pub restart: Option<String>,
    /// Network: `host`, `bridge` or `none`.
    pub network_mode: Option<String>,
    /// Devices of the host, such as `"/dev/video0:/dev/video0"`.
    pub devices: Vec<String>,
    /// Whether it has all privileges of root on the host.
    pub privileged: bool,
    /// Restrictions and extra privileges.
    #[serde(flatten)]
    pub confinement: Confinement,
    /// Labels for the image and the container.
    pub labels: BTreeMap<String, String>,
    /// Number of replicas, where the target supports several.
    pub replicas: Option<u32>,
    /// Processor and memory: `{ cpu = "100m", memory = "64Mi", memory-limit = "128Mi" }`.
    pub resources: Option<ResourcesTable>,
    /// Time to exit after SIGTERM before it is killed, such as `10s`. Default: the target's.
    pub stop_grace_period: Option<String>,
}

impl ContainerTable {
    /// What is set here, and otherwise what another table sets; of variables, secrets and labels those of both.
    pub fn or(self, other: Self) -> Self {
        fn list<T>(one: Vec<T>, other: Vec<T>) -> Vec<T> {
            if one.is_empty() { other } else { one }
        }
        fn map<T>(one: BTreeMap<String, T>, other: BTreeMap<String, T>) -> BTreeMap<String, T> {
            other.into_iter().chain(one).collect()
        }
        let Confinement { init, cap_add, cap_drop, read_only, tmpfs } = self.confinement;
        Self {
            command: self.command.or(other.command),
            args: list(self.args, other.args),
            environment: map(self.environment, other.environment),
            secrets: map(self.secrets, other.secrets),
            env_file: self.env_file.or(other.env_file),
            ports: list(self.ports, other.ports),
            volumes: list(self.volumes, other.volumes),
            user: self.user.or(other.user),
            workdir: self.workdir.or(other.workdir),
            healthcheck: self.healthcheck.or(other.healthcheck),
            restart: self.restart.or(other.restart),
            network_mode: self.network_mode.or(other.network_mode),
            devices: list(self.devices, other.devices),
            privileged: self.privileged || other.privileged,
            confinement: Confinement {
                init: init.or(other.confinement.init),
                cap_add: list(cap_add, other.confinement.cap_add),
                cap_drop: list(cap_drop, other.confinement.cap_drop),
                read_only: read_only || other.confinement.read_only,
                tmpfs: list(tmpfs, other.confinement.tmpfs),
            },
            labels: map(self.labels, other.labels),
            replicas: self.replicas.or(other.replicas),
            resources: self.resources.or(other.resources),
            stop_grace_period: self.stop_grace_period.or(other.stop_grace_period),
        }
    }
}

/// How to check that a container is healthy: an HTTP path answers with 2xx, a port accepts connections, gRPC's health service answers
/// SERVING, or a command in the container exits with 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct HealthTable {
    /// URL path to request.
    pub path: Option<String>,
    /// Port for the path; without a path, the port that has to accept connections.
    pub port: Option<u16>,
    /// Port of a gRPC server whose service `grpc.health.v1.Health` is asked for the health of the whole server, without TLS.
    pub grpc: Option<u16>,
    /// Command to run, instead of a path.
    pub command: Option<Vec<String>>,
    /// Whether the image of a package contains a program of about 4 KB that asks at the port, so that compose, swarms
    /// and `docker run` can check it too. Default: `true`.
    pub probe: Option<bool>,
    /// Time between checks, such as `10s`.
    pub interval: Option<String>,
    /// Time limit of one check, such as `3s`.
    pub timeout: Option<String>,
    /// Consecutive failures after which it is unhealthy.
    pub retries: Option<u32>,
    /// Time to start up during which failures do not count, such as `5s`.
    pub start_period: Option<String>,
}
