//! Who strips executables: this program, which keeps what it removes, or the linker, as the profile says.

use anyhow::Result;
use toml::{Table, Value};

use super::settings::CargoSettings;
use crate::workspace::Workspace;

/// What becomes of the symbols in executables.
#[derive(Clone, Debug, PartialEq)]
pub enum Stripping {
    /// They are moved to debug files.
    Split,
    /// What `strip` of the profile says.
    Profile(Value),
}

impl Stripping {
    /// What the profile, or one that it inherits from, says.
    ///
    /// # Errors
    /// When the root manifest cannot be read.
    pub fn of(settings: &CargoSettings, workspace: &Workspace, profile: &str) -> Result<Self> {
        let manifest: Table = fs_err::read_to_string(workspace.manifest())?.parse()?;
        let mut profile = profile.to_owned();
        for _ in 0..16 {
            let of_manifest = |key: &str| manifest.get("profile")?.get(&profile)?.get(key).cloned();
            if let Some(strip) = settings.get(&["profile", &profile, "strip"]).or_else(|| of_manifest("strip")) {
                return Ok(Self::Profile(strip));
            }
            let inherits = settings.get(&["profile", &profile, "inherits"]).or_else(|| of_manifest("inherits"));
            match inherits {
                Some(Value::String(parent)) => profile = parent,
                _ => break,
            }
        }
        Ok(Self::Split)
    }
}
