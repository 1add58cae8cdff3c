//! Checks across services.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::manifests::{self, ServiceSource};
use super::order;
use super::template::{Template, VERSION_MARK};
use crate::app::Service;
use crate::config::{Problems, Step};
use crate::diagnostic::Code;

pub fn dependencies(
    sources: &[ServiceSource<'_>],
    services: &BTreeMap<String, Service>,
    template: Option<&Template>,
    built: &BTreeMap<String, String>,
    problems: &mut Problems,
) {
    let known: Vec<&str> = services.keys().chain(built.keys()).map(String::as_str).collect();
    for source in sources {
        for (at, name) in source.table.depends_on.iter().enumerate() {
            if known.contains(&name.as_str()) || template.is_some_and(|template| template.services.contains_key(name)) {
                continue;
            }
            let near = crate::config::schema::did_you_mean(name, &known);
            let message = format!("there is no service `{name}`{}", near);
            let mut report = source.report(problems);
            report.wrong(Code::UnknownService, &[Step::Key("depends-on"), Step::Index(at)], message);
        }
    }
}

pub fn images(sources: &[ServiceSource<'_>], services: &BTreeMap<String, Service>, problems: &mut Problems) {
    let mut images: BTreeMap<String, &str> = BTreeMap::new();
    for service in services.values() {
        if let Some(other) = images.insert(service.container.image.canonical(), service.name.as_str())
            && let Some(source) = manifests::of(sources, service.name.as_str())
        {
            let message =
                format!("the services `{other}` and `{}` have the same image `{}`", service.name, service.container.image);
            source.report(problems).wrong(Code::DuplicateService, &[], message);
        }
    }
}

/// Cargo writes executables of the same name to the same file, whichever package they belong to.
pub fn bins(sources: &[ServiceSource<'_>], services: &BTreeMap<String, Service>, problems: &mut Problems) {
    let mut bins: BTreeMap<&str, &str> = BTreeMap::new();
    for service in services.values() {
        let Some(package) = service.package() else { continue };
        let other = bins.insert(&package.bin, &package.package);
        if let Some(other) = other.filter(|other| *other != package.package)
            && let Some(source) = manifests::of(sources, service.name.as_str())
        {
            let message =
                format!("the packages `{other}` and `{}` both have a bin `{}`: rename one of them", package.package, package.bin);
            source.report(problems).wrong(Code::DuplicateService, &[], message);
        }
    }
}

pub fn launch_order(sources: &[ServiceSource<'_>], services: &BTreeMap<String, Service>, problems: &mut Problems) -> Vec<String> {
    let edges = services.iter().map(|(name, service)| (name.clone(), service.depends_on.clone())).collect();
    order::sort(&edges).unwrap_or_else(|cycle| {
        if let Some(source) = manifests::of(sources, &cycle[0]) {
            let message = match &cycle[..] {
                [name, same] if name == same => format!("the service `{name}` depends on itself"),
                _ => format!("the services depend on each other in a cycle: {}", cycle.join(" -> ")),
            };
            source.report(problems).wrong(Code::DependencyCycle, &[Step::Key("depends-on")], message);
        }
        Vec::new()
    })
}

/// Every service of the workspace is in the template, and every service in the template is of the workspace or has an image
/// of its own.
pub fn template(template: &Template, services: &BTreeMap<String, Service>) -> Result<()> {
    let missing: Vec<&str> = services.keys().filter(|name| !template.services.contains_key(*name)).map(String::as_str).collect();
    if !missing.is_empty() {
        bail!(Code::AppYml.error(format!(
            "`app.yml` has no service {}, which the workspace has\nhelp: add it, with `image: NAME:{VERSION_MARK}`",
            quoted(&missing)
        )));
    }
    let foreign: Vec<&str> = template.services.keys().filter(|name| !services.contains_key(*name)).map(String::as_str).collect();
    if !foreign.is_empty() {
        bail!(Code::AppYml.error(format!(
            "`app.yml` has the service {}, which is not in the workspace\nhelp: run `cargo appbundle new-service {}`",
            quoted(&foreign),
            foreign[0]
        )));
    }
    for (name, image) in &template.services {
        if image.is_none() {
            bail!(Code::AppYml.error(format!("in `app.yml`, the service `{name}` has no `image`")));
        }
    }
    Ok(())
}

pub fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
