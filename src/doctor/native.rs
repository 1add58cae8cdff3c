//! What dependencies need beside Cargo, and the packages that the app's table lists.

use super::needs::BuildNeeds;
use super::{ToolFinding, ToolState};
use crate::apt;
use crate::compile::native::{NativeNeed, groups, listed, shown};
use crate::plan::Builder;

/// First what build scripts look for, then what the table lists.
pub fn at(needs: &BuildNeeds) -> Vec<ToolFinding> {
    let packages = listed(&needs.packages, &needs.target);
    let lacking = apt::missing(&packages);
    let listed = packages.into_iter().map(|package| of_table(&package, needs.builder, lacking.contains(&package)));
    groups(&needs.native).iter().map(|group| of_scripts(group)).chain(listed).collect()
}

fn of_scripts(group: &[&NativeNeed]) -> ToolFinding {
    let need = group[0];
    let help = || match need.debian.is_empty() {
        false => format!("run `{}`", apt::install_command(&need.debian)),
        true => "install it, or tell the build script where it is; which package has it is not known here".to_owned(),
    };
    let packages = need.packages.join(", ");
    let (purpose, without, state) = match &need.found {
        Some(place) => ("is needed by", "build scripts fail", ToolState::Good(place.clone())),
        None if need.certain => ("is needed by", "build scripts fail", ToolState::Missing(help())),
        None => ("may be needed by", "build scripts may fail", ToolState::Optional(help())),
    };
    ToolFinding::new(shown(group), format!("{purpose} {packages}"), without, state).of(need.debian.clone())
}

fn of_table(package: &str, builder: Builder, is_missing: bool) -> ToolFinding {
    let state = match (builder, apt::is_used()) {
        (Builder::Cross, _) => ToolState::Good("`cross` installs it in its container".into()),
        (_, false) => ToolState::Optional("this machine has no dpkg: install it by other means".into()),
        (_, true) if is_missing => ToolState::Missing(format!("run `{}`", apt::install_command(&[package.to_owned()]))),
        (_, true) => ToolState::Good("installed".into()),
    };
    let packages = if is_missing { vec![package.to_owned()] } else { Vec::new() };
    ToolFinding::new(format!("package {package}"), "is one of `build.packages`", "dependencies may not compile", state)
        .of(packages)
}
