//! A service together with the parts of its image.

use anyhow::{Context as _, Result};

use super::{Base, Bases, Binary, Package, Service};

/// A service, its executable, and the base of its image.
#[derive(Clone, Copy, Debug)]
pub struct Unit<'a> {
    /// How it runs.
    pub service: &'a Service,
    /// The package that is compiled, and the files to pack.
    pub package: &'a Package,
    /// The executable.
    pub binary: &'a Binary,
    /// The base of its image.
    pub base: &'a Base,
}

impl<'a> Unit<'a> {
    /// Joins each service of a package with its executable and its base, in the order of the services.
    ///
    /// # Errors
    /// When a service has no executable, or its base was not read.
    pub fn all(services: &'a [Service], binaries: &'a [Binary], bases: &'a Bases) -> Result<Vec<Self>> {
        let packages = services.iter().filter_map(|service| Some((service, service.package()?)));
        let unit = |(service, package): (&'a Service, &'a Package)| {
            let binary = binaries.iter().find(|binary| binary.service == service.name.as_str());
            let binary = binary.with_context(|| format!("the service `{}` has no executable", service.name))?;
            Ok(Self { service, package, binary, base: bases.get(&package.base)? })
        };
        packages.map(unit).collect()
    }

    /// The units whose executables are in one image: each by itself, or all of them.
    pub fn by_image(units: &[Self]) -> Vec<Vec<Self>> {
        match units.first().is_some_and(|unit| unit.package.shared_image.is_some()) {
            true => vec![units.to_vec()],
            false => units.iter().map(|unit| vec![*unit]).collect(),
        }
    }
}
