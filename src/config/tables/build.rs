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
    /// Commands that run in the workspace's folder before Cargo, in order: `["make keys"]`. One with `inputs` runs only after a change.
    pub prepare: Vec<PrepareValue>,
}

/// A command that runs before Cargo.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PrepareValue {
    /// A line for the shell, which runs on every build.
    Always(String),
    /// A line for the shell, with what it reads and writes.
    Table(PrepareTable),
}

/// A command with what it reads and writes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub struct PrepareTable {
    /// The line for the shell.
    pub run: String,
    /// The files that it reads, and folders, and patterns with `*`, `**`, `?`, `[...]` or `{a,b}`, relative to the workspace. It runs
    /// only if one of them has changed since it last succeeded.
    #[serde(default)]
    pub inputs: Vec<String>,
    /// Files and folders that it writes, relative to the workspace. It also runs if one of them does not exist.
    #[serde(default)]
    pub outputs: Vec<String>,
}
