//! The bill of materials of what a build packs.

use anyhow::{Context as _, Result};

use crate::app::{Bases, Facts, Service, Unit};
use crate::plan::Plan;
use crate::segment::KnownDigests;
use crate::trust::ServiceCrates;
use crate::trust::sbom::{AppParts, Bill, Executable, PackedFile, ServiceParts, System};

/// What the images of a plan are made of. `crates` are those of its services' executables, as far as they are known.
///
/// # Errors
/// When a packed file cannot be read.
pub fn of(plan: &Plan, units: &[Unit<'_>], bases: &Bases, crates: &[ServiceCrates], known: &KnownDigests) -> Result<Bill> {
    let services = plan.services.iter().map(|service| {
        let facts = service.base().map(|base| bases.get(base)).transpose()?.map(|base| &base.facts);
        let unit = units.iter().find(|unit| unit.service.name == service.name);
        let crates = crates.iter().find(|crates| crates.service == service.name.as_str());
        parts(plan, service, unit, facts, crates, known)
            .with_context(|| format!("failed to list the contents of `{}`", service.name))
    });
    let parts = AppParts {
        name: plan.slug(),
        version: Some(plan.version.written.clone()),
        supplier: plan.author.as_ref().map(|author| author.as_str().to_owned()),
        epoch: plan.epoch,
        services: services.collect::<Result<_>>()?,
    };
    Ok(parts.bill())
}

fn parts(
    plan: &Plan,
    service: &Service,
    unit: Option<&Unit<'_>>,
    facts: Option<&Facts>,
    crates: Option<&ServiceCrates>,
    known: &KnownDigests,
) -> Result<ServiceParts> {
    let executable = |unit: &Unit<'_>| Executable {
        path: unit.binary.place.clone(),
        sha256: Some(unit.binary.digest.hex()),
        crates: crates.cloned().unwrap_or_default(),
    };
    let files = unit.into_iter().flat_map(|unit| &unit.package.files);
    let file = |(path, from): (&String, &std::path::Path)| {
        Ok(PackedFile { path: path.clone(), sha256: Some(known.digest(from)?.0.hex()) })
    };
    Ok(ServiceParts {
        name: service.name.as_str().to_owned(),
        version: Some(plan.version.written.clone()),
        executables: unit.into_iter().map(executable).collect(),
        system: facts.and_then(Facts::os_release).map(System::parse),
        unlisted_base: facts
            .is_some_and(|facts| facts.packages().is_empty() && !(facts.libraries.is_empty() && facts.programs.is_empty())),
        packages: facts.map(Facts::packages).unwrap_or_default(),
        files: files.filter_map(|file| Some((&file.to, file.from()?))).map(file).collect::<Result<_>>()?,
        image: service.upstream().map(ToString::to_string),
    })
}
