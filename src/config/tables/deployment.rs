//! What a service needs where it is deployed.

use schemars::JsonSchema;
use serde::Deserialize;

/// A secret that the target stores, and the key in it. The value is never written to a file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SecretTable {
    /// Name of the secret.
    pub secret: String,
    /// Key in the secret.
    pub key: String,
}

/// Processor and memory of a service, in Kubernetes' notation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ResourcesTable {
    /// Reserved processor time: `"100m"` (thousandths of a processor) or `"0.5"`.
    pub cpu: Option<String>,
    /// Reserved memory: `"64Mi"`, `"1Gi"`.
    pub memory: Option<String>,
    /// Limit of processor time.
    pub cpu_limit: Option<String>,
    /// Memory limit; a service that exceeds it is killed.
    pub memory_limit: Option<String>,
}
