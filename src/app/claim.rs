//! What an app wants of the volumes that its services name.

use serde::Serialize;
use serde_json::{Map, Value};

use super::Memory;

/// What is wanted of one volume.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Claim {
    /// Its size.
    pub size: Option<Memory>,
    /// Merged last into the spec of its claim on Kubernetes.
    pub kubernetes: Map<String, Value>,
}
