//! What a service needs beside itself while it is developed or tested.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::container::ContainerTable;
use super::scalar::Scalar;

/// What runs beside a service, and how the service learns where.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct NeedsTable {
    /// Environment variables. `${NAME.host}`, `${NAME.port}` and `${NAME.address}` stand for where the dependency `NAME` can be
    /// reached; `${NAME.port.9000}` for another port than its first, `$${` for `${` itself. Without being named here, `NAME_HOST`,
    /// `NAME_PORT` and `NAME_ADDRESS` are always set.
    pub environment: BTreeMap<String, Scalar>,
    /// Containers that are started before, and removed after, by name.
    pub dependencies: BTreeMap<String, DependencyTable>,
}

/// A container that a service needs, such as a database. On the host, each of its ports gets a free one of 127.0.0.1, or, with `dev`
/// alone, the one that is written before it: `"15432:5432"`.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub struct DependencyTable {
    /// The image, such as `postgres:16`. One that the container engine does not have is pulled, unless `--offline` is given.
    pub image: String,
    /// How it runs. Without a `healthcheck`, it is healthy as soon as its first TCP port takes connections.
    #[serde(flatten)]
    pub container: ContainerTable,
    /// Seconds that it may take until it is healthy. Default: 60.
    #[schemars(range(min = 1))]
    pub wait: Option<u32>,
}
