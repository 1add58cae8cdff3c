//! What users write of volumes.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Settings of a named volume.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct VolumeTable {
    /// Size of its claim on Kubernetes, such as `512Mi` or `10Gi`. Default: `1Gi`.
    pub size: Option<String>,
    /// Keys merged last into the spec of its claim on Kubernetes: `{ storageClassName = "fast" }`.
    pub kubernetes: Option<Map<String, Value>>,
}
