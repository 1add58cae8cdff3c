//! Reads the bases of a plan, each once.

#[cfg(feature = "engine")]
use anyhow::Context as _;
use anyhow::Result;

use super::Workbench;
use super::pulled::Images;
use crate::app::{AppFile, BaseChoice, Bases, Binary};
use crate::base;
use crate::plan::Plan;

/// Reads every base that a service of the plan uses. `binaries` are the executables of the plan's services; empty if only the
/// file systems of the bases matter.
///
/// # Errors
/// When a base cannot be read.
pub fn read(plan: &Plan, binaries: &[Binary], bench: &Workbench<'_>, images: &mut Images<'_>) -> Result<Bases> {
    let mut bases = Bases::default();
    let Workbench { packer, known, linker, shell, .. } = bench;
    for choice in plan.bases() {
        shell.status("Preparing", format_args!("base {choice}"));
        let base = match choice {
            #[cfg(feature = "engine")]
            BaseChoice::Dockerfile(source) => base::read_dockerfile(source, &plan.target, packer, known, shell)?,
            #[cfg(feature = "engine")]
            BaseChoice::Daemon(name) => base::read_daemon(name, &plan.target, packer, shell)
                .with_context(|| format!("failed to prepare the base `{choice}`"))?,
            BaseChoice::Image(reference) => images.read(reference, &plan.target, packer)?,
            BaseChoice::Debian(recipe) => images.read_packages(recipe, plan, packer)?,
            _ => {
                let on_it = plan.packages().filter(|(_, package)| package.base == *choice);
                let on_it: Vec<&Binary> = on_it
                    .filter_map(|(service, _)| binaries.iter().find(|binary| binary.service == service.name.as_str()))
                    .collect();
                let base = base::read(choice, &plan.target, &on_it, linker, plan.epoch, packer, known)?;
                if *choice == BaseChoice::Auto {
                    let on_it = plan.packages().filter(|(_, package)| package.base == *choice);
                    let files: Vec<&AppFile> = on_it.flat_map(|(_, package)| &package.files).collect();
                    shell.notes(base::auto_notes(&base, &files), &plan.allow);
                }
                base
            }
        };
        bases.insert(choice.clone(), base);
    }
    Ok(bases)
}
