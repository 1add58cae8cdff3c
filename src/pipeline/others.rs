//! The apps of other workspaces that stacks include.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::{Options, Session};
use crate::diagnostic::Code;
use crate::plan::Plan;
use crate::render::Others;
use crate::shell::Shell;

/// The command-line options for another workspace, without those that name things of this one.
pub fn options(options: &Options, folder: &Path) -> Options {
    let mut own = options.clone();
    own.cargo.manifest_path = Some(folder.join("Cargo.toml"));
    own.cargo.target_dir = None;
    own.bin_dir = own.bin_dir.map(|bin_dir| folder.join(bin_dir));
    own.compile.features.clear();
    own.request.packages.clear();
    own.request.version = None;
    own.request.variant = None;
    own.request.output = None;
    own
}

/// The apps that a plan's controllers deploy, including the apps in those.
///
/// # Errors
/// When one cannot be read, or workspaces include each other in a cycle.
pub fn of_controllers(options: &Options, plan: &Plan, shell: &Shell) -> Result<Others> {
    let mut found = Others::new();
    if plan.stacks.iter().any(|stack| stack.image) {
        read(options, plan, &mut Vec::new(), &mut found, shell)?;
    }
    Ok(found)
}

fn read(options: &Options, plan: &Plan, around: &mut Vec<PathBuf>, found: &mut Others, shell: &Shell) -> Result<()> {
    around.push(plan.workspace.canonicalize().unwrap_or_else(|_| plan.workspace.clone()));
    for stack in &plan.stacks {
        for (name, folder) in &stack.apps {
            refuse_cycle(around, folder)?;
            let own = self::options(options, folder);
            let session = Session::start(&own, shell)
                .with_context(|| format!("failed to read the app `{name}` of the stack `{}`", stack.name))?;
            read(&own, &session.plan, around, found, shell)?;
            found.insert(folder.clone(), session.plan);
        }
    }
    around.pop();
    Ok(())
}

/// Rejects a workspace that includes itself; `around` are the workspaces that include it.
///
/// # Errors
/// When `folder` is one of `around`.
pub fn refuse_cycle(around: &[PathBuf], folder: &PathBuf) -> Result<()> {
    if around.contains(folder) {
        let path: Vec<String> = around.iter().chain([folder]).map(|path| path.display().to_string()).collect();
        bail!(Code::DependencyCycle.error(format!("workspaces include each other in a cycle: {}", path.join(" -> "))));
    }
    Ok(())
}
