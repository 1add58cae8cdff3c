//! What users write of a service whose image others made, such as a database.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::container::ContainerTable;
use super::routes::RouteTable;

/// A service whose image others made, such as `redis:7`. The image is packed into the bundle as it is.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct ImageServiceTable {
    /// An image in a registry, such as `"redis:7"`, whose digest `appbundle.lock` pins; or `{ archive = "redis.tar" }`.
    pub image: Option<ImageTable>,
    /// How the container runs. What is not set here is as the image has it.
    #[serde(flatten)]
    pub container: ContainerTable,
    /// Services to start before this one.
    pub depends_on: Vec<String>,
    /// URL paths that are routed to this service.
    pub routes: BTreeMap<String, RouteTable>,
    /// Compose keys, merged last into the service in compose files.
    pub compose: Option<Map<String, Value>>,
    /// Keys merged last into the service in `auterion-app.yml`.
    pub auterion: Option<Map<String, Value>>,
    /// Keys merged last into the service's pod on Kubernetes. List items with the same `name` are merged.
    pub kubernetes: Option<Map<String, Value>>,
}

/// Where an image is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ImageTable {
    /// In a registry.
    Named(String),
    /// In a file.
    From(ImageFile),
}

/// An image in a file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ImageFile {
    /// A docker archive, an OCI layout, or an OCI archive. Relative to the manifest.
    pub archive: String,
}
