//! `cargo appbundle build`: builds the bundles of the workspace.

use anyhow::Result;

use crate::pipeline::{self, Options, Session};
use crate::plan::Plan;
use crate::shell::Shell;

/// Builds the bundles and prints the path of each.
pub fn run(options: &Options, shell: &Shell) -> Result<()> {
    let sessions = Session::of_targets(options, shell)?;
    let mut outputs = Vec::new();
    for session in &sessions {
        outputs.extend(pipeline::bundles(session, options, shell)?);
    }
    let plans: Vec<&Plan> = sessions.iter().map(|session| &session.plan).collect();
    outputs.extend(pipeline::write_index(&plans, options, shell)?);
    outputs.iter().for_each(|path| shell.result_path("appbundle-bundle", path));
    Ok(())
}
