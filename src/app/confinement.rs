//! Restrictions and extra privileges of a container: keys with the same meaning in every runtime.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Restrictions and extra privileges of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct Confinement {
    /// Whether process 1 is an init that forwards signals and reaps orphaned processes. Default: the target's; services have
    /// one under `run` and `dev`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<bool>,
    /// Capabilities to add to the runtime's defaults, such as `NET_ADMIN`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cap_add: Vec<String>,
    /// Capabilities to drop, such as `NET_RAW` or `ALL`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cap_drop: Vec<String>,
    /// Whether the root file system is read-only; only volumes and `tmpfs` are writable.
    #[serde(skip_serializing_if = "is_false")]
    pub read_only: bool,
    /// Directories to mount as empty in-memory file systems, such as `/tmp`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tmpfs: Vec<String>,
}

impl Confinement {
    /// The values that no runtime accepts: the key, the index in its list, and an explanation for the user.
    pub fn faults(&self) -> Vec<(&'static str, usize, String)> {
        let mut faults = Vec::new();
        for (key, capabilities) in [("cap-add", &self.cap_add), ("cap-drop", &self.cap_drop)] {
            for (at, name) in capabilities.iter().enumerate() {
                let fits = name.starts_with(|c: char| c.is_ascii_uppercase())
                    && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
                if !fits || name.starts_with("CAP_") {
                    faults.push((key, at, format!("`{name}` is not a capability: write `NET_ADMIN` or `ALL`")));
                }
            }
        }
        for (at, path) in self.tmpfs.iter().enumerate() {
            let inside = path.strip_prefix('/').and_then(crate::archive::confined).filter(|inside| !inside.is_empty());
            if inside.is_none() || path.contains([':', ',']) {
                faults.push((
                    "tmpfs",
                    at,
                    format!("`{path}` is not a folder for `tmpfs`: write an absolute path, such as `/tmp`"),
                ));
            }
        }
        faults
    }
}

fn is_false(value: &bool) -> bool {
    !value
}
