//! A compose file for the inner loop of development: sources and executables of this machine, mounted into the services.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::{compose, merge, parts, yaml};
use crate::app::{GeneratedFile, Port, Service};
use crate::plan::Plan;

/// Where a service finds the folder of its package.
const SOURCES: &str = "/usr/src/app";

/// Where the search for a free port of the host begins.
const FIRST_PORT: u16 = 8001;

/// What a plan does not know.
#[derive(Clone, Copy, Debug)]
pub struct DevOptions<'a> {
    /// The folder in which Cargo puts the executables.
    pub binaries: &'a Path,
    /// Services beside the app's, such as databases, by name.
    pub beside: &'a Map<String, Value>,
}

/// The file. Its images have to be of the executables' platform.
pub fn file(plan: &Plan, options: DevOptions<'_>) -> Result<GeneratedFile> {
    let folder = plan.output.join("dev");
    let mut taken: BTreeSet<u16> =
        plan.services.iter().flat_map(|service| &service.ports).filter_map(Port::host_number).collect();
    let mut services = Vec::new();
    for service in &plan.services {
        services.push((service.name.to_string(), of_service(plan, service, &folder, &mut taken, options)));
    }
    for (name, other) in options.beside {
        services.push((name.clone(), other.as_object().cloned().unwrap_or_default()));
    }
    let contents = yaml(&compose::with_volumes(plan, services))?;
    Ok(GeneratedFile { path: "dev/docker-compose.dev.yml".into(), contents })
}

fn of_service(
    plan: &Plan,
    service: &Service,
    folder: &Path,
    taken: &mut BTreeSet<u16>,
    options: DevOptions<'_>,
) -> Map<String, Value> {
    let mut map = compose::service(plan, service);
    let absent = json!({});
    let environment = map.entry("environment").or_insert(absent);
    if let Some(environment) = environment.as_object_mut() {
        environment.insert("ENV".into(), "dev".into());
    }
    // Who changes a service wants to see it fail, and to have one of it.
    map.insert("restart".into(), "no".into());
    map.remove("deploy");
    map.insert("container_name".into(), format!("{}-{}-dev", plan.name, service.name).into());
    if service.network_mode.as_deref().is_none_or(|mode| mode == "bridge") && !service.ports.is_empty() {
        let published = service.ports.iter().map(|port| match port.host {
            Some(_) => port.short(),
            None => Port { host: Some(format!("127.0.0.1:{}", free(port.container, taken))), ..port.clone() }.short(),
        });
        map.insert("ports".into(), published.map(Value::from).collect());
    }
    let binary = parts::host_path(folder, &options.binaries.join(&service.bin));
    let mut volumes: Vec<String> = service.volumes.iter().map(parts::volume).collect();
    volumes.push(format!("{}:{SOURCES}:ro", parts::host_path(folder, &service.folder)));
    volumes.push(format!("{binary}:{}:ro", parts::escaped(&service.binary_path)));
    map.insert("volumes".into(), json!(volumes));
    map.extend(parts::env_files(service, folder).map(|value| ("env_file".to_owned(), value)));
    merge(&mut map, &service.compose);
    map
}

/// The port itself if no service has it, else the next one from 8001 on.
fn free(wanted: u16, taken: &mut BTreeSet<u16>) -> u16 {
    let found = std::iter::once(wanted).chain(FIRST_PORT..=u16::MAX).find(|port| !taken.contains(port)).unwrap_or(wanted);
    taken.insert(found);
    found
}

/// What is not as in production.
pub fn notes(plan: &Plan) -> Vec<String> {
    let mut notes = Vec::new();
    for service in &plan.services {
        if service.network_mode.as_deref() == Some("host") {
            notes.push(format!("dev: `{}` is on the host's network, where its ports are what it listens at", service.name));
        }
    }
    notes
}
