//! Turns a plan or a bundle into the containers to start.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::compose;
use super::environment::filled;
use super::launch::Launch;
use super::variables::Variables;
use crate::app::{Container, ImageRef, Port, Service};
use crate::bundle::Contents;
use crate::diagnostic::{Code, Note};
use crate::plan::{self, Choice, Plan, Reach};

/// The app's name, the containers to start, and notes on settings that are ignored here.
pub type App = (String, Vec<Launch>, Vec<Note>);

/// The containers of a plan: from the workspace's own `app.yml` if there is one, otherwise from its tables.
///
/// # Errors
/// When a secret is not set, or `app.yml` cannot be parsed.
pub fn of_plan(plan: &Plan, variables: &Variables) -> Result<App> {
    let Some(text) = &plan.template else {
        let (mut launches, mut notes) = (Vec::new(), Vec::new());
        for service in &plan.services {
            let (launch, own) = of_service(plan, service, variables)?;
            launches.push(launch);
            notes.extend(own);
        }
        return Ok((plan.name.to_string(), launches, notes));
    };
    let read =
        serde_saphyr::from_str(text).context("it is not YAML").and_then(|it| compose::launches(&it, &plan.workspace, variables));
    let (mut launches, notes) = read.context("failed to read `app.yml`")?;
    for launch in &mut launches {
        let Some(service) = plan.services.iter().find(|service| service.name.as_str() == launch.name) else { continue };
        let own = filled(service.described(), "service", &launch.name, variables)?;
        // The environment and health check that a compose file cannot express.
        for (name, value) in own.environment.into_iter().filter(|(name, _)| !service.container.environment.contains_key(name)) {
            launch.container.environment.entry(name).or_insert(value);
        }
        if let Some(health) = own.health.filter(|health| health.command().is_none()) {
            launch.container.health = Some(health);
        }
    }
    Ok((plan.name.to_string(), launches, notes))
}

/// One service of a plan, with notes on the keys of its `compose = { … }` that are ignored here.
///
/// # Errors
/// When a secret is not set, an environment file cannot be read, or its `compose = { … }` cannot be parsed.
fn of_service(plan: &Plan, service: &Service, variables: &Variables) -> Result<(Launch, Vec<Note>)> {
    let is_there = |name: &&String| plan.services.iter().any(|other| other.name.as_str() == name.as_str());
    let name = service.name.to_string();
    let mut container = filled(service.described(), "service", &name, variables)?;
    // An image that others made may insist on being process 1.
    if service.upstream().is_some() {
        container.confinement.init.get_or_insert(false);
    }
    let launch = Launch {
        aliases: vec![name.clone()],
        after: service.depends_on.iter().filter(is_there).cloned().collect(),
        container,
        name,
        ..Launch::default()
    };
    let (launch, mut notes) = compose::over(launch, &service.compose, &plan.workspace, variables)?;
    notes.extend(launch.replicas_note());
    Ok((launch, notes))
}

/// The containers of a bundle: from its compose file, otherwise from an `app.yml` in the same folder that uses only its images,
/// otherwise one for each image. Variables may come from a `.env` in the bundle's folder.
pub fn of_bundle(path: &Path, contents: &Contents) -> Result<App> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = std::path::absolute(folder)?;
    let images: BTreeSet<&str> = contents.images.iter().flat_map(|image| &image.names).map(String::as_str).collect();
    let beside = || std::fs::read_to_string(folder.join("app.yml")).ok();
    let parse = |text: &str| serde_saphyr::from_str::<Value>(text).context("its `app.yml` is not YAML");
    let (document, ours) = match &contents.compose {
        Some(text) => (Some(parse(text)?), true),
        None => (beside().map(|text| parse(&text)).transpose()?, false),
    };
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = crate::app::Name::near(name.split('-').next().unwrap_or_default());
    if let Some(document) = document {
        let (launches, notes) = compose::launches(&document, &folder, &Variables::read(&folder)?)?;
        let unknown = launches.iter().find(|launch| !images.contains(launch.container.image.as_str()));
        match unknown {
            None => return Ok((name, launches, notes)),
            Some(launch) if ours => {
                bail!(
                    "its service `{}` runs the image `{}`, which the bundle does not contain",
                    launch.name,
                    launch.container.image
                )
            }
            Some(_) => {}
        }
    }
    let mut launches = Vec::new();
    for image in &contents.images {
        let title = image.config.config.labels.get("org.opencontainers.image.title").cloned();
        let reference = image.names.first().context("an image has no name")?;
        let short = reference.rsplit('/').next().and_then(|last| last.split(':').next()).unwrap_or(reference);
        let service = title.unwrap_or_else(|| crate::app::Name::near(short));
        let ports = image.config.config.exposed_ports.keys().filter_map(|port| {
            let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
            Port::parse(&format!("{number}:{number}/{protocol}")).ok()
        });
        launches.push(Launch {
            aliases: vec![service.clone()],
            name: service,
            container: Container { image: ImageRef::foreign(reference), ports: ports.collect(), ..Container::default() },
            ..Launch::default()
        });
    }
    Ok((name, launches, vec![Code::TemplateMissing.note("this bundle has no `app.yml`: each image runs with its own defaults")]))
}

/// Selects the services named in `wanted` and everything they depend on; an empty `wanted` selects all. Services can be selected
/// by package only if there is a plan.
///
/// # Errors
/// When a name is neither a service nor a package.
pub fn select(launches: Vec<Launch>, plan: Option<&Plan>, wanted: &[String]) -> Result<Vec<Launch>> {
    let service = |name: &str| plan?.services.iter().find(|service| service.name.as_str() == name);
    let package = |name: &str| Some(service(name)?.package()?.package.as_str());
    let choices: Vec<Choice<'_>> =
        launches.iter().map(|Launch { name, after, .. }| Choice { name, package: package(name), depends_on: after }).collect();
    let selected = plan::select(wanted, &choices, Reach::Dependencies)?;
    Ok(launches.into_iter().filter(|launch| selected.contains(&launch.name)).collect())
}

/// Sorts services so that each comes after those it depends on.
pub fn in_order(launches: Vec<Launch>) -> Result<Vec<Launch>> {
    let edges = launches.iter().map(|launch| (launch.name.clone(), launch.after.clone())).collect();
    let sorted = plan::launch_order(&edges).map_err(|cycle| {
        Code::DependencyCycle.error(format!("the services depend on each other in a cycle: {}", cycle.join(" -> ")))
    })?;
    let mut by_name: BTreeMap<String, Launch> = launches.into_iter().map(|launch| (launch.name.clone(), launch)).collect();
    Ok(sorted.into_iter().filter_map(|name| by_name.remove(&name)).collect())
}
