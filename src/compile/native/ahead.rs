//! What a plan needs, and the note of it before Cargo compiles.

use std::path::Path;
use std::time::SystemTime;

use anyhow::Result;

use super::super::features::selection;
use super::super::options::CompileOptions;
use super::super::settings::CargoSettings;
use super::find::needs;
use super::listed::listed;
use super::need::{NativeNeed, groups, shown};
use crate::apt;
use crate::diagnostic::{Code, Note};
use crate::plan::{Builder, Plan};
use crate::workspace::{self, CargoOptions, Workspace};

/// What the services of a plan need beside Cargo; nothing for `cross`, whose container has it or not.
///
/// # Errors
/// When a dependency cannot be had; in words for the user.
pub fn of_plan(
    settings: &CargoSettings,
    cargo: &CargoOptions,
    plan: &Plan,
    options: &CompileOptions,
    step: &dyn Fn(&str),
) -> Result<Vec<NativeNeed>> {
    let selection = selection(plan, options);
    if selection.packages.is_empty() {
        return Ok(Vec::new());
    }
    let graph = workspace::graph(cargo, &selection, &plan.target.triple, step)?;
    Ok(if plan.builder == Builder::Cross { Vec::new() } else { needs(settings, &graph, &plan.target) })
}

/// What seems to be missing, before Cargo compiles for the first time since a manifest or the lock file changed. Later, what
/// was needed was there.
///
/// # Errors
/// As [`of_plan`].
pub fn note(
    settings: &CargoSettings,
    cargo: &CargoOptions,
    workspace: &Workspace,
    plan: &Plan,
    options: &CompileOptions,
    step: &dyn Fn(&str),
) -> Result<Option<Note>> {
    if is_compiled(workspace, plan) {
        return Ok(None);
    }
    let needs = of_plan(settings, cargo, plan, options, step)?;
    let missing: Vec<NativeNeed> = needs.into_iter().filter(|need| need.found.is_none()).collect();
    let named = |group: &Vec<&NativeNeed>| format!("{} (by {})", shown(group), group[0].packages.join(", "));
    let mut names: Vec<String> = groups(&missing).iter().map(named).collect();
    let mut packages: Vec<String> = missing.into_iter().flat_map(|need| need.debian).collect();
    if plan.builder != Builder::Cross && apt::is_used() {
        let lacking = apt::missing(&listed(&plan.compilation.packages, &plan.target));
        names.extend(
            lacking
                .iter()
                .filter(|package| !packages.contains(package))
                .map(|package| format!("package `{package}` (by `build.packages`)")),
        );
        packages.extend(lacking);
    }
    packages.sort_unstable();
    packages.dedup();
    let help = match packages.is_empty() {
        true => "; `cargo appbundle doctor` tells more".to_owned(),
        false => format!("; run `{}` if the build fails", apt::install_command(&packages)),
    };
    Ok((!names.is_empty())
        .then(|| Code::NativeMissing.note(format!("needed for compiling, but not found: {}{help}", names.join(", ")))))
}

/// Whether all executables are younger than what decides of which packages they are made.
fn is_compiled(workspace: &Workspace, plan: &Plan) -> bool {
    let time = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    let manifests = workspace.members.iter().map(|member| member.manifest.clone());
    let inputs = manifests.chain([workspace.manifest(), workspace.root.join("Cargo.lock")]);
    let newest: Option<SystemTime> =
        inputs.map(|path| time(&path)).try_fold(SystemTime::UNIX_EPOCH, |one, other| Some(one.max(other?)));
    let profile = plan.profile_folder();
    let folders = [workspace.target_dir.join(&plan.target.triple), workspace.target_dir.clone()];
    let is_younger = |bin: &str, newest: SystemTime| {
        folders.iter().filter_map(|folder| time(&folder.join(profile).join(bin))).any(|compiled| compiled >= newest)
    };
    newest.is_some_and(|newest| plan.packages().all(|(_, package)| is_younger(&package.bin, newest)))
}
