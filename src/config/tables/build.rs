//! What users write of compiling.

use schemars::JsonSchema;
use serde::Deserialize;

/// How the services are compiled.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct CompilationTable {
    /// Debian packages that compiling needs: `["libssl-dev", "protobuf-compiler"]`. A library (`…-dev`) is installed for the target's
    /// architecture, a tool for this machine's; `libssl-dev:arm64` or `:native` chooses one. `doctor` checks them; the jobs of `ci`
    /// and `--builder cross` install them.
    pub packages: Vec<String>,
}
