//! What a service needs where it is deployed.

use schemars::JsonSchema;
use serde::Deserialize;

/// A secret that the target keeps, and the key in it. Its value is never written to any file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SecretTable {
    /// The secret's name on Kubernetes.
    pub secret: String,
    /// The key in it.
    pub key: String,
}

/// What a service is given of processor and memory, in the words of Kubernetes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ResourcesTable {
    /// What is kept free for it: `"100m"` (thousandths of a processor) or `"0.5"`.
    pub cpu: Option<String>,
    /// What is kept free for it: `"64Mi"`, `"1Gi"`.
    pub memory: Option<String>,
    /// What it gets at most.
    pub cpu_limit: Option<String>,
    /// What it gets at most; a service that takes more is ended.
    pub memory_limit: Option<String>,
}
