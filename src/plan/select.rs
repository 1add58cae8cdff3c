//! `-p`: which services are meant.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use crate::app::{BaseChoice, Service};
use crate::config::schema;
use crate::diagnostic::Code;

/// The names of the services that are called so, or whose packages are; all if none is asked for.
///
/// # Errors
/// When there is no such service or package.
pub fn select(packages: &[String], services: &BTreeMap<String, (Service, BaseChoice)>) -> Result<Vec<String>> {
    if packages.is_empty() {
        return Ok(services.keys().cloned().collect());
    }
    let mut wanted = Vec::new();
    for package in packages {
        let found = services.values().filter(|(service, _)| service.is_called(package));
        let found: Vec<String> = found.map(|(service, _)| service.name.to_string()).collect();
        if found.is_empty() {
            let known: Vec<&str> = services.keys().map(String::as_str).collect();
            if let Some(near) = schema::nearest(package, &known) {
                bail!(Code::UnknownPackage.error(format!("no service or package `{package}`; did you mean `{near}`?")));
            }
            bail!(
                Code::UnknownPackage
                    .error(format!("no service or package `{package}`; the services are {}", super::checks::quoted(&known)))
            );
        }
        wanted.extend(found);
    }
    Ok(wanted)
}
