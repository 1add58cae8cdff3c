//! What users write of the formats of bundles.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A bundle format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FormatName {
    /// An app file for AuterionOS devices.
    Auterionos,
    /// An archive for `docker load` and `podman load` that is an OCI layout as well.
    Docker,
    /// An OCI image layout, as a tar.
    Oci,
}

impl FormatName {
    /// As it is written in a table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auterionos => "auterionos",
            Self::Docker => "docker",
            Self::Oci => "oci",
        }
    }
}
