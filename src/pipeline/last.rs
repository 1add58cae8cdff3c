//! The bundle of the last build.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::built::Built;
use super::wanted::Wanted;
use super::{Options, Session};
use crate::diagnostic::Code;
use crate::plan::Format;
use crate::shell::Shell;

/// As [`last_bundle`], or of the only other target that this version was built for, if none is asked for: whoever only looks does not
/// mind which.
///
/// # Errors
/// When nothing was built, or something of another version or for several targets.
pub fn last_bundle_of_any_target(options: &Options, shell: &Shell) -> Result<PathBuf> {
    if !options.request.targets.is_empty() {
        return last_bundle(options, shell);
    }
    let first = Session::of_targets(options, shell)?.into_iter().next().context("there is no target")?;
    let output = if first.among_others { first.plan.output.parent().map(Path::to_owned) } else { None };
    let built = Built::targets(&output.unwrap_or(first.plan.output), &first.plan.version.tag);
    match &built[..] {
        [only] if *only != first.plan.target.triple => {
            shell.note(format_args!("the last build is for {only}"));
            let mut options = options.clone();
            options.request.targets = vec![only.clone()];
            last_bundle(&options, shell)
        }
        _ => last_bundle(options, shell),
    }
}

/// The newest bundle of the last build, in any format.
///
/// # Errors
/// When nothing was built, or something of another version or for another target.
pub fn last_bundle(options: &Options, shell: &Shell) -> Result<PathBuf> {
    let mut plan = Session::start(options, shell)?.plan;
    let wanted = Wanted::by(&plan);
    // A build for several targets has a folder for each.
    let own = plan.output.join(plan.target.folder());
    if !Built::is_there(&wanted) && Built::is_there(&Wanted { output: own.clone(), ..Wanted::by(&plan) }) {
        plan.output = own;
        plan.bundles.push(plan.target.folder());
    } else {
        Built::load(&wanted)?;
    }
    let paths = [Format::Docker, Format::Oci, Format::Auterionos].map(|format| plan.bundle_path(format));
    let there =
        paths.into_iter().filter_map(|path| Some((std::fs::metadata(&path).and_then(|file| file.modified()).ok()?, path)));
    there.max().map(|(_, path)| path).with_context(|| {
        Code::NoBuild.error(format!(
            "there is no bundle of {} {} in `{}`\nhelp: run `cargo appbundle build`",
            plan.slug(),
            plan.version,
            plan.output.display()
        ))
    })
}
