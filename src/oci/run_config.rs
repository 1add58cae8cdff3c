//! How a container is run from an image.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The `PATH` that engines set where an image has none.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How a container is run from an image (config.md, `config`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RunConfig {
    /// User and group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// `8080/tcp` and so on.
    #[serde(skip_serializing_if = "is_empty", deserialize_with = "null_is_empty")]
    pub exposed_ports: BTreeMap<String, Nothing>,
    /// `NAME=value`.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub env: Vec<String>,
    /// The program and its fixed arguments.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub entrypoint: Vec<String>,
    /// Default arguments, which the command that runs the container can replace.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub cmd: Vec<String>,
    /// How an engine checks that it is healthy, which Docker added to the specification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
    /// Mount points.
    #[serde(skip_serializing_if = "is_empty", deserialize_with = "null_is_empty")]
    pub volumes: BTreeMap<String, Nothing>,
    /// Where it starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// Free notes.
    #[serde(skip_serializing_if = "is_empty", deserialize_with = "null_is_empty")]
    pub labels: BTreeMap<String, String>,
    /// How a container is asked to end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
}

/// A check by an engine; times are in nanoseconds, and 0 is the engine's default (Docker image specification 1.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Healthcheck {
    /// `CMD` and the command's words, or `NONE`.
    #[serde(deserialize_with = "null_is_empty")]
    pub test: Vec<String>,
    /// Time between checks.
    #[serde(skip_serializing_if = "is_zero")]
    pub interval: i64,
    /// Time limit of one check.
    #[serde(skip_serializing_if = "is_zero")]
    pub timeout: i64,
    /// Startup time during which failures do not count.
    #[serde(skip_serializing_if = "is_zero")]
    pub start_period: i64,
    /// Consecutive failures after which it is unhealthy.
    #[serde(skip_serializing_if = "is_zero")]
    pub retries: i64,
}

impl Healthcheck {
    /// No check, whatever the base has.
    pub fn none() -> Self {
        Self { test: vec!["NONE".into()], ..Self::default() }
    }
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// `{}`: the value of a set's member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nothing {}

impl RunConfig {
    /// The config of an image that is built on another one: what this says, and what it takes over from `base` (ports, labels,
    /// volumes, variables, and the signal that ends a container). There is always a `PATH`.
    pub fn over(&self, base: &Self) -> Self {
        let mut env = base.variables();
        env.entry("PATH").or_insert(DEFAULT_PATH);
        env.extend(self.variables());
        let mut labels = base.labels.clone();
        labels.extend(self.labels.clone());
        Self {
            user: self.user.clone(),
            exposed_ports: self.exposed_ports.iter().chain(&base.exposed_ports).map(|(port, set)| (port.clone(), *set)).collect(),
            env: env.into_iter().map(|(name, value)| format!("{name}={value}")).collect(),
            entrypoint: self.entrypoint.clone(),
            cmd: self.cmd.clone(),
            // The base's check is for the base's program.
            healthcheck: self.healthcheck.clone().or_else(|| base.healthcheck.as_ref().map(|_| Healthcheck::none())),
            volumes: self.volumes.iter().chain(&base.volumes).map(|(path, set)| (path.clone(), *set)).collect(),
            working_dir: self.working_dir.clone(),
            labels,
            stop_signal: self.stop_signal.clone().or_else(|| base.stop_signal.clone()),
        }
    }

    /// The variables of `env`, by name.
    pub fn variables(&self) -> BTreeMap<&str, &str> {
        self.env.iter().filter_map(|line| line.split_once('=')).collect()
    }
}

fn is_empty<V>(map: &BTreeMap<String, V>) -> bool {
    map.is_empty()
}

/// Docker writes `null` for an empty list or map.
pub(super) fn null_is_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
