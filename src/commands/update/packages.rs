//! Updates the pins of Debian packages, and tells which were added, removed or changed.

use anyhow::Result;

use crate::config::lockfile::Lockfile;
use crate::debian::{DebianPin, Recipe};
use crate::pipeline::pulled::packages::{architecture, choose, warn_of_security};
use crate::plan::Plan;
use crate::registry::{Blobs, Client};
use crate::shell::{self, Shell};

/// Updates the packages of a recipe, for the plan's target and for others that are pinned; returns whether anything changed.
///
/// # Errors
/// When an archive cannot be reached or trusted, or lacks a package.
pub fn update(
    recipe: &Recipe,
    plan: &Plan,
    lockfile: &mut Lockfile,
    client: &Client<'_>,
    blobs: &Blobs,
    shell: &Shell,
) -> Result<bool> {
    let own = architecture(&plan.target);
    let pinned = lockfile.debian_pins().iter().filter(|pin| pin.is_of(recipe, &pin.architecture));
    let others: Vec<String> = pinned.map(|pin| pin.architecture.clone()).filter(|other| *other != own).collect();
    let mut changed = false;
    for architecture in std::iter::once(own).chain(others) {
        let old = lockfile.debian(recipe, &architecture).cloned();
        let new = choose(recipe, &architecture, plan, client, blobs, shell)?;
        warn_of_security(recipe, &new, plan, shell);
        if old.as_ref() == Some(&new) {
            continue;
        }
        tell(old.as_ref(), &new, shell);
        lockfile.set_debian(new);
        changed = true;
    }
    Ok(changed)
}

fn tell(old: Option<&DebianPin>, new: &DebianPin, shell: &Shell) {
    let Some(old) = old else {
        shell.status("Adding", format_args!("{} ({})", shell::count(new.packages.len(), "package"), shell::bytes(new.size())));
        return;
    };
    for package in &new.packages {
        match old.package(&package.name) {
            None => shell.status("Adding", format_args!("{} {}", package.name, package.version)),
            Some(before) if before.version != package.version => {
                shell.status("Updating", format_args!("{} {} -> {}", package.name, before.version, package.version));
            }
            Some(before) if before.digest != package.digest => {
                shell.status("Updating", format_args!("{} {} (rebuilt)", package.name, package.version));
            }
            Some(_) => {}
        }
    }
    for package in old.packages.iter().filter(|package| new.package(&package.name).is_none()) {
        shell.status("Removing", format_args!("{} {}", package.name, package.version));
    }
    if old.packages == new.packages {
        shell.status("Unchanged", format_args!("packages of {}; the archive's lists are newer", new.suite));
    }
}
