//! Settings of the named volumes of an app.

use serde::Serialize;
use serde_json::{Map, Value};

use super::Memory;

/// Settings of one named volume.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Claim {
    /// Its size.
    pub size: Option<Memory>,
    /// Merged last into the spec of its claim on Kubernetes.
    pub kubernetes: Map<String, Value>,
}
