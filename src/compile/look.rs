//! Reads executables into [`Binary`] values.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use rayon::prelude::*;

use crate::app::{Binary, Facts, Library, Package, Service};
use crate::diagnostic::Code;
use crate::elf::{Elf, glibc};
use crate::plan::Plan;
use crate::segment::KnownDigests;

/// Hashes and parses the executables of all services in parallel; returns them in the plan's order.
///
/// # Errors
/// When an executable cannot be read, is not ELF, or is for a different platform than the plan's.
pub fn look(plan: &Plan, paths: &BTreeMap<String, PathBuf>, known: &KnownDigests) -> Result<Vec<Binary>> {
    let looked: Vec<Result<Binary>> =
        plan.packages().collect::<Vec<_>>().into_par_iter().map(|of| look_at(plan, of, paths, known)).collect();
    looked.into_iter().collect()
}

fn look_at(
    plan: &Plan,
    (service, package): (&Service, &Package),
    paths: &BTreeMap<String, PathBuf>,
    known: &KnownDigests,
) -> Result<Binary> {
    let path = paths.get(service.name.as_str()).context("a service has no executable")?;
    let (digest, size) = known.digest(path)?;
    let elf = Elf::read(path)?;
    if !plan.target.runs(elf.machine) {
        bail!(Code::BinaryMachine.error(format!(
            "`{}` of the service `{}` is for {}, but the target `{}` is {}\nhelp: build it with `cargo build --release --target {}`",
            path.display(),
            service.name,
            elf.machine.name(),
            plan.target.triple,
            plan.target.platform.architecture,
            plan.target.triple
        )));
    }
    let newest = elf.requires.values().flatten().filter_map(|version| glibc(version)).max();
    if let (Some(floor), Some(newest)) = (plan.target.glibc, newest)
        && newest > floor
    {
        bail!(Code::TargetGlibc.error(format!(
            "`{}` of the service `{}` needs glibc {}.{}, but the target allows at most {}.{}",
            path.display(),
            service.name,
            newest.0,
            newest.1,
            floor.0,
            floor.1
        )));
    }
    let library_path = service.container.environment.get("LD_LIBRARY_PATH");
    let (place, beside) = (package.binary_path.clone(), Facts::beside(&package.files, library_path.map(String::as_str)));
    let loads = package.libraries.iter().map(Library::place).collect();
    Ok(Binary { service: service.name.to_string(), path: path.clone(), digest, size, elf, place, beside, loads })
}
