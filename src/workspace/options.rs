//! How Cargo is called.

use std::path::PathBuf;

/// How Cargo is called, for every call of one run.
#[derive(Clone, Debug, Default)]
pub struct CargoOptions {
    /// The cargo that called us, else `cargo`.
    pub program: PathBuf,
    /// `--manifest-path`
    pub manifest_path: Option<PathBuf>,
    /// `--target-dir`
    pub target_dir: Option<PathBuf>,
    /// `--locked`
    pub locked: bool,
    /// `--offline`
    pub offline: bool,
    /// `--frozen`
    pub frozen: bool,
    /// `--config`, as written.
    pub config: Vec<String>,
}

impl CargoOptions {
    /// The flags that every command of Cargo takes.
    pub fn common_flags(&self) -> Vec<String> {
        let mut flags: Vec<String> = Vec::new();
        for (on, flag) in [(self.locked, "--locked"), (self.offline, "--offline"), (self.frozen, "--frozen")] {
            if on {
                flags.push(flag.into());
            }
        }
        for config in &self.config {
            flags.extend(["--config".into(), config.clone()]);
        }
        flags
    }
}
