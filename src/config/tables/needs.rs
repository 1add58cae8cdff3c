//! What a service needs beside itself while it is developed or tested.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::container::ContainerTable;
use super::scalar::Scalar;

/// Containers that a service depends on during development or tests, and the variables through which it finds them.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct NeedsTable {
    /// Environment variables. `${NAME.host}`, `${NAME.port}` and `${NAME.address}` stand for where the dependency `NAME` can be
    /// reached, `${NAME.port.9000}` for a port other than its first, and `$${` for `${` itself. `NAME_HOST`, `NAME_PORT` and
    /// `NAME_ADDRESS` are always set.
    pub environment: BTreeMap<String, Scalar>,
    /// Containers to start before and remove after, by name.
    pub dependencies: BTreeMap<String, DependencyTable>,
}

/// A container that a service depends on, such as a database. Each of its ports is published at a free port of 127.0.0.1. Under
/// `dev`, `"15432:5432"` chooses the port.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub struct DependencyTable {
    /// The image, such as `postgres:16`. It is pulled if the container engine does not have it, unless `--offline` is given. Without it,
    /// the dependency is the service of this name whose image others made, with the keys of its table that are not set here.
    #[serde(default)]
    pub image: Option<String>,
    /// How it runs. Without a `healthcheck`, it is healthy once its first TCP port accepts connections.
    #[serde(flatten)]
    pub container: ContainerTable,
    /// Seconds to wait for it to become healthy. Default: 60.
    #[schemars(range(min = 1))]
    pub wait: Option<u32>,
}
