//! What Cargo tells while it compiles.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use cargo_metadata::camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{Artifact, CrateType, Message};

use crate::plan::Plan;
use crate::shell::Shell;
use crate::workspace::CompiledUnits;

/// What is kept of its messages, by Cargo's identifiers of packages.
#[derive(Debug, Default)]
pub struct Messages {
    /// Executables by package and name.
    pub executables: BTreeMap<(String, String), PathBuf>,
    /// Shared libraries by package and file name.
    pub libraries: BTreeMap<(String, String), PathBuf>,
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
            if artifact.target.crate_types.iter().any(|of| matches!(of, CrateType::CDyLib | CrateType::DyLib)) {
                all.libraries.extend(shared(&artifact, folders[1]));
            }
            if let Some(executable) = artifact.executable
                && artifact.target.is_bin()
            {
                all.executables.insert((artifact.package_id.repr, artifact.target.name), executable.into_std_path_buf());
            }
        }
        Ok(all)
    }
}

/// The shared libraries of an artifact that it was asked for: Cargo puts these beside the executables, and others elsewhere.
fn shared(artifact: &Artifact, profile: &str) -> Vec<((String, String), PathBuf)> {
    let is_asked_for = |path: &&Utf8PathBuf| path.parent().and_then(Utf8Path::file_name) == Some(profile);
    let files = artifact.filenames.iter().filter(|path| path.extension() == Some("so")).filter(is_asked_for);
    let named = files.filter_map(|path| Some((path.file_name()?.to_owned(), path.clone().into_std_path_buf())));
    named.map(|(name, path)| ((artifact.package_id.repr.clone(), name), path)).collect()
}
