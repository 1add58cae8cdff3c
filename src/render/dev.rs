//! A compose file for the inner loop of development: sources and executables of this machine, mounted into the services.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::{compose, merge, parts, yaml};
use crate::app::{DEV_VARIABLE, Dependency, GeneratedFile, Port, SOURCE_FOLDER, Service, own_ports};
use crate::plan::Plan;

/// The file. `binaries` is the folder in which Cargo puts the executables; the images have to be of their platform.
///
/// # Errors
/// When a placeholder of a service's `dev` table names nothing.
pub fn file(plan: &Plan, binaries: &Path) -> Result<GeneratedFile> {
    let folder = plan.output.join("dev");
    let ports = own_ports(&plan.services);
    let mut beside: BTreeMap<String, &Dependency> = BTreeMap::new();
    let mut services = Vec::new();
    for service in &plan.services {
        let mut names = BTreeMap::new();
        for (name, dependency) in &service.dev.dependencies {
            // Services that say the same of a name share what it names.
            let shared = beside.get(name).is_none_or(|other| *other == dependency);
            let own = if shared { name.clone() } else { format!("{}-{name}", service.name) };
            beside.insert(own.clone(), dependency);
            names.insert(name.as_str(), own);
        }
        let mut map = of_service(plan, service, &folder, ports.get(service.name.as_str()), binaries);
        let at = |name: &str, port: u16| (names.get(name).cloned().unwrap_or_else(|| name.to_owned()), port);
        let mut variables = service.dev.variables(&at).map_err(anyhow::Error::msg)?;
        variables.insert(DEV_VARIABLE.0.to_owned(), DEV_VARIABLE.1.to_owned());
        let variables = variables.into_iter().map(|(name, value)| (name, Value::from(parts::escaped(&value))));
        merge(&mut map, &Map::from_iter([("environment".to_owned(), Value::Object(variables.collect()))]));
        if !names.is_empty() {
            needs(&mut map, names.values());
        }
        merge(&mut map, &service.compose);
        services.push((service.name.to_string(), map));
    }
    services.extend(beside.into_iter().map(|(name, dependency)| (name, of_dependency(dependency))));
    let contents = yaml(&compose::with_volumes(plan, services))?;
    Ok(GeneratedFile { path: "dev/docker-compose.dev.yml".into(), contents })
}

fn of_service(plan: &Plan, service: &Service, folder: &Path, ports: Option<&Vec<Port>>, binaries: &Path) -> Map<String, Value> {
    let mut map = compose::service(plan, service);
    // Who changes a service wants to see it fail, and to have one of it.
    map.insert("restart".into(), "no".into());
    map.remove("deploy");
    map.insert("container_name".into(), format!("{}-{}-dev", plan.name, service.name).into());
    if let Some(ports) = ports {
        map.insert("ports".into(), ports.iter().map(|port| Value::from(port.short())).collect());
    }
    let binary = parts::host_path(folder, &binaries.join(&service.bin));
    let mut volumes: Vec<String> = service.volumes.iter().map(parts::volume).collect();
    volumes.push(format!("{}:{SOURCE_FOLDER}:ro", parts::host_path(folder, &service.folder)));
    volumes.push(format!("{binary}:{}:ro", parts::escaped(&service.binary_path)));
    map.insert("volumes".into(), json!(volumes));
    map.extend(parts::env_files(service, folder).map(|value| ("env_file".to_owned(), value)));
    map
}

/// Adds to what starts before a service; compose has a list for that, or a table with conditions.
fn needs<'a>(map: &mut Map<String, Value>, names: impl Iterator<Item = &'a String>) {
    match map.entry("depends_on").or_insert_with(|| json!([])) {
        Value::Object(after) => after.extend(names.map(|name| (name.clone(), json!({ "condition": "service_started" })))),
        Value::Array(after) => after.extend(names.map(|name| Value::from(name.as_str()))),
        _ => {}
    }
}

fn of_dependency(dependency: &Dependency) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("image".into(), dependency.image.as_str().into());
    if !dependency.args.is_empty() {
        map.insert("command".into(), dependency.args.iter().map(|word| Value::from(parts::escaped(word))).collect());
    }
    if !dependency.environment.is_empty() {
        let variables = dependency.environment.iter().map(|(name, value)| (name.clone(), Value::from(parts::escaped(value))));
        map.insert("environment".into(), variables.collect::<Map<_, _>>().into());
    }
    map
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
