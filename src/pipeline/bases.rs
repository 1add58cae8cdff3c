//! The bases of a plan, each read once.

use std::collections::BTreeMap;

#[cfg(feature = "engine")]
use anyhow::Context as _;
use anyhow::Result;

use super::pulled::Images;
use crate::app::{Base, BaseChoice, Binary};
use crate::base;
use crate::plan::Plan;
use crate::segment::{KnownDigests, Packer};
use crate::shell::Shell;

/// Reads each base that a service of the plan stands on. `binaries` go with the services, or are none where only the file
/// systems matter.
pub fn read<'a>(
    plan: &'a Plan,
    binaries: &[Binary],
    linker: &str,
    packer: &Packer,
    known: &KnownDigests,
    images: &mut Images<'_>,
    shell: &Shell,
) -> Result<BTreeMap<&'a BaseChoice, Base>> {
    let mut bases = BTreeMap::new();
    for choice in &plan.bases {
        if bases.contains_key(choice) {
            continue;
        }
        shell.status("Preparing", format_args!("base {choice}"));
        #[cfg(feature = "engine")]
        if let BaseChoice::Dockerfile(source) = choice {
            bases.insert(choice, base::read_dockerfile(source, &plan.target, packer, known, shell)?);
            continue;
        }
        #[cfg(feature = "engine")]
        if let BaseChoice::Daemon(name) = choice {
            let read = base::read_daemon(name, &plan.target, packer, shell);
            bases.insert(choice, read.with_context(|| format!("failed to prepare the base `{choice}`"))?);
            continue;
        }
        if let BaseChoice::Image(reference) = choice {
            bases.insert(choice, images.read(reference, &plan.target, packer)?);
            continue;
        }
        let on_it: Vec<&Binary> =
            binaries.iter().zip(&plan.bases).filter(|(_, base)| *base == choice).map(|(binary, _)| binary).collect();
        bases.insert(choice, base::read(choice, &plan.target, &on_it, linker, plan.epoch, packer, known)?);
    }
    Ok(bases)
}
