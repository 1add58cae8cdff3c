//! What Cargo tells while it compiles.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use cargo_metadata::Message;

use crate::plan::Plan;
use crate::shell::Shell;
use crate::workspace::CompiledUnits;

/// What is kept of its messages, by Cargo's identifiers of packages.
#[derive(Debug, Default)]
pub struct Messages {
    /// Executables by package and name.
    pub executables: BTreeMap<(String, String), PathBuf>,
    /// All that was compiled.
    pub units: CompiledUnits,
}

impl Messages {
    /// Reads messages while Cargo runs. `begun` is called at the first that says that something was compiled: then Cargo has
    /// resolved all dependencies.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn read(stdout: impl BufRead, plan: &Plan, begun: impl FnOnce(), shell: &Shell) -> Result<Self> {
        let folders = [plan.target.triple.as_str(), plan.profile_folder()];
        let (mut all, mut begun) = (Self::default(), Some(begun));
        for message in Message::parse_stream(stdout) {
            let message = message.context("failed to read cargo's messages")?;
            if shell.is_json() {
                shell.cargo_message(&message)?;
            }
            let Message::CompilerArtifact(artifact) = message else { continue };
            begun.take().into_iter().for_each(|begun| begun());
            all.units.add(&artifact, folders);
            if let Some(executable) = artifact.executable
                && artifact.target.is_bin()
            {
                all.executables.insert((artifact.package_id.repr, artifact.target.name), executable.into_std_path_buf());
            }
        }
        Ok(all)
    }
}
