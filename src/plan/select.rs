//! Selects services by name: for `-p`, and for the arguments of `test`.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::app::Service;
use crate::config::schema;
use crate::diagnostic::Code;

/// The names by which a service can be selected.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// The service's name.
    pub name: &'a str,
    /// The package it is compiled from, if any.
    pub package: Option<&'a str>,
    /// Names of the services it depends on.
    pub depends_on: &'a [String],
}

/// The extent of a selection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Only the named services.
    #[default]
    Named,
    /// The named services and their dependencies.
    Dependencies,
}

impl<'a> Choice<'a> {
    /// Creates a candidate from a service of a plan.
    pub fn of(service: &'a Service) -> Self {
        let package = service.package().map(|package| package.package.as_str());
        Self { name: service.name.as_str(), package, depends_on: &service.depends_on }
    }
}

/// Returns the names of the services whose name or package is in `wanted`; if `wanted` is empty, all of them.
///
/// # Errors
/// When a name matches no service and no package.
pub fn select(wanted: &[String], services: &[Choice<'_>], reach: Reach) -> Result<BTreeSet<String>> {
    if wanted.is_empty() {
        return Ok(services.iter().map(|service| service.name.to_owned()).collect());
    }
    let mut open: Vec<&Choice<'_>> = Vec::new();
    for name in wanted {
        let before = open.len();
        open.extend(services.iter().filter(|service| service.name == name || service.package == Some(name)));
        if open.len() == before {
            let known: Vec<&str> = services.iter().map(|service| service.name).collect();
            let better = match schema::nearest(name, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the services are {}", super::checks::quoted(&known)),
            };
            bail!(Code::UnknownPackage.error(format!("no service or package named `{name}`; {better}")));
        }
    }
    let mut selected = BTreeSet::new();
    while let Some(service) = open.pop() {
        if selected.insert(service.name.to_owned()) && reach == Reach::Dependencies {
            open.extend(services.iter().filter(|other| service.depends_on.iter().any(|name| name == other.name)));
        }
    }
    Ok(selected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_packages_and_dependencies() {
        let (none, store) = (Vec::new(), vec!["store".to_owned()]);
        let services = [
            Choice { name: "front", package: Some("web"), depends_on: &store },
            Choice { name: "store", package: Some("store"), depends_on: &none },
            Choice { name: "other", package: Some("web"), depends_on: &none },
        ];
        let select = |wanted: &[&str], reach| {
            let wanted: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
            select(&wanted, &services, reach).map(|names| names.into_iter().collect::<Vec<_>>().join(" "))
        };
        assert_eq!(select(&[], Reach::Named).expect("all"), "front other store");
        assert_eq!(select(&["web"], Reach::Named).expect("a package"), "front other");
        assert_eq!(select(&["front"], Reach::Dependencies).expect("a service"), "front store");
        let error = select(&["stor"], Reach::Named).expect_err("unknown").to_string();
        assert_eq!(error, "no service or package named `stor`; did you mean `store`?");
        let error = select(&["nothing"], Reach::Named).expect_err("unknown").to_string();
        assert_eq!(error, "no service or package named `nothing`; the services are `front`, `store`, `other`");
    }
}
