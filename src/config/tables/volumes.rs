//! What users write of volumes.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// What an app wants of a volume that its services name.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct VolumeTable {
    /// What its claim on Kubernetes asks for: `512Mi`, `10Gi`. Default: `1Gi`.
    pub size: Option<String>,
    /// Merged last into the spec of its claim on Kubernetes: `{ storageClassName = "fast" }`.
    pub kubernetes: Option<Map<String, Value>>,
}
