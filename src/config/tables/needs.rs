//! What a service needs beside itself while it is developed or tested.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{PortValue, Scalar};

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

/// A container that a service needs, such as a database.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DependencyTable {
    /// The image, such as `postgres:16`. One that the container engine does not have is pulled, unless `--offline` is given.
    pub image: String,
    /// Arguments of the image's program.
    #[serde(default)]
    pub args: Vec<String>,
    /// Environment variables of the container.
    #[serde(default)]
    pub environment: BTreeMap<String, Scalar>,
    /// Ports that it listens at. On the host each gets a free one of 127.0.0.1, or, with `dev` alone, the one that is written
    /// before it: `"15432:5432"`.
    #[serde(default)]
    pub ports: Vec<PortValue>,
    /// How to see that it is ready. Default: its first TCP port takes connections.
    pub healthcheck: Option<ProbeTable>,
    /// Seconds that it may take until it is ready. Default: 60.
    #[schemars(range(min = 1))]
    pub wait: Option<u32>,
}

/// How to see that a dependency is ready: an HTTP path at a port answers 2xx, a port takes connections, or a command in the
/// container ends with 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ProbeTable {
    /// URL path.
    pub path: Option<String>,
    /// Port of the path, or the port that is to take connections.
    pub port: Option<u16>,
    /// Command instead of a port.
    pub command: Option<Vec<String>>,
    /// How long one answer may take, such as `3s`. Default: `5s`.
    pub timeout: Option<String>,
}
