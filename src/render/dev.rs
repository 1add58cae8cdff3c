//! A compose file for the inner loop of development: sources and executables of this machine, mounted into the services.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::{compose, merge, parts, yaml};
use crate::app::{DEV_VARIABLE, Dependency, GeneratedFile, Health, Port, Probe, SOURCE_FOLDER, Service, own_ports};
use crate::plan::Plan;

/// The file. `binaries` is the folder in which Cargo puts the executables; the images have to be of their platform.
///
/// # Errors
/// When a placeholder of a service's `dev` table names nothing.
pub fn file(plan: &Plan, binaries: &Path) -> Result<GeneratedFile> {
    let folder = plan.output.join("dev");
    let ports = own_ports(&plan.services);
    let mut beside: BTreeMap<String, Beside<'_>> = BTreeMap::new();
    let mut taken: BTreeSet<u16> = ports.values().flatten().filter_map(Port::host_number).collect();
    taken.extend(plan.services.iter().filter(|service| on_host(service)).flat_map(|s| &s.ports).map(|port| port.container));
    let mut services = Vec::new();
    for service in &plan.services {
        let mut names = BTreeMap::new();
        for (name, dependency) in &service.dev.dependencies {
            // Services that say the same of a name share what it names.
            let shared = beside.get(name).is_none_or(|other| other.dependency == dependency);
            let own = if shared { name.clone() } else { format!("{}-{name}", service.name) };
            let beside = beside.entry(own.clone()).or_insert_with(|| Beside { dependency, at_host: BTreeMap::new() });
            if on_host(service) {
                beside.publish(&mut taken);
            }
            names.insert(name.as_str(), own);
        }
        let mut map = of_service(plan, service, &folder, ports.get(service.name.as_str()), binaries);
        let at = |name: &str, port: u16| {
            let own = names.get(name).cloned().unwrap_or_else(|| name.to_owned());
            match beside.get(&own).and_then(|beside| beside.at_host.get(&port)).filter(|_| on_host(service)) {
                Some(number) => ("127.0.0.1".to_owned(), *number),
                None => (own, port),
            }
        };
        let mut variables = service.dev.variables(&at).map_err(anyhow::Error::msg)?;
        variables.insert(DEV_VARIABLE.0.to_owned(), DEV_VARIABLE.1.to_owned());
        let variables = variables.into_iter().map(|(name, value)| (name, Value::from(parts::escaped(&value))));
        merge(&mut map, &Map::from_iter([("environment".to_owned(), Value::Object(variables.collect()))]));
        if !names.is_empty() {
            let conditions = names.iter().map(|(name, own)| (own.clone(), condition(&service.dev.dependencies[*name])));
            needs(&mut map, conditions.collect());
        }
        merge(&mut map, &service.compose);
        services.push((service.name.to_string(), map));
    }
    services.extend(beside.into_iter().map(|(name, beside)| (name, of_dependency(&beside))));
    let contents = yaml(&compose::with_volumes(plan, services))?;
    Ok(GeneratedFile { path: "dev/docker-compose.dev.yml".into(), contents })
}

/// A dependency, and the ports of this machine at which services find it that are on its network, where no name leads to it.
struct Beside<'a> {
    dependency: &'a Dependency,
    at_host: BTreeMap<u16, u16>,
}

impl Beside<'_> {
    /// Gives each port the same number at 127.0.0.1, or the next free one.
    fn publish(&mut self, taken: &mut BTreeSet<u16>) {
        for port in &self.dependency.ports {
            if self.at_host.contains_key(&port.container) {
                continue;
            }
            if let Some(number) = (port.container..=u16::MAX).find(|number| taken.insert(*number)) {
                self.at_host.insert(port.container, number);
            }
        }
    }
}

fn on_host(service: &Service) -> bool {
    service.network_mode.as_deref() == Some("host")
}

fn of_service(plan: &Plan, service: &Service, folder: &Path, ports: Option<&Vec<Port>>, binaries: &Path) -> Map<String, Value> {
    let mut map = compose::service(plan, service);
    // Who changes a service wants to see it fail, and to have one of it.
    map.insert("restart".into(), "no".into());
    map.shift_remove("deploy");
    if service.network_mode.as_deref() == Some("bridge") {
        // In the app's own network, which is one as well, others are found by their names.
        map.shift_remove("network_mode");
    }
    map.insert("container_name".into(), format!("{}-{}-dev", plan.name, service.name).into());
    map.shift_remove("expose");
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

/// What of a dependency is waited for.
fn condition(dependency: &Dependency) -> &'static str {
    if matches!(dependency.probe, Some(Probe::Command(_))) { "service_healthy" } else { "service_started" }
}

/// Adds to what starts before a service; compose has a list for that, or a table with conditions.
fn needs(map: &mut Map<String, Value>, conditions: BTreeMap<String, &'static str>) {
    let with = |condition: &str| json!({ "condition": condition });
    match map.entry("depends_on").or_insert_with(|| json!([])) {
        Value::Array(after) if conditions.values().all(|condition| *condition == "service_started") => {
            after.extend(conditions.into_keys().map(Value::from));
        }
        after => {
            if let Value::Array(names) = after {
                let names = names.iter().filter_map(Value::as_str);
                *after = names.map(|name| (name.to_owned(), with("service_started"))).collect::<Map<_, _>>().into();
            }
            let table = after.as_object_mut().into_iter();
            table.for_each(|table| table.extend(conditions.iter().map(|(name, condition)| (name.clone(), with(condition)))));
        }
    }
}

fn of_dependency(Beside { dependency, at_host }: &Beside<'_>) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("image".into(), dependency.image.as_str().into());
    if !dependency.args.is_empty() {
        map.insert("command".into(), dependency.args.iter().map(|word| Value::from(parts::escaped(word))).collect());
    }
    if !dependency.environment.is_empty() {
        let variables = dependency.environment.iter().map(|(name, value)| (name.clone(), Value::from(parts::escaped(value))));
        map.insert("environment".into(), variables.collect::<Map<_, _>>().into());
    }
    if !at_host.is_empty() {
        let ports = at_host.iter().map(|(port, number)| Value::from(format!("127.0.0.1:{number}:{port}")));
        map.insert("ports".into(), ports.collect());
    }
    if let Some(Probe::Command(command)) = &dependency.probe {
        let health = Health {
            command: Some(command.clone()),
            timeout: dependency.timeout.clone(),
            // Asked each second, for as long as it may take.
            interval: Some("1s".into()),
            retries: u32::try_from(dependency.wait).ok(),
            http: None,
            start_period: None,
        };
        map.extend(parts::health(Some(&health)).map(|value| ("healthcheck".to_owned(), value)));
    }
    map
}

/// What is not as in production.
pub fn notes(plan: &Plan) -> Vec<String> {
    let mut notes: Vec<String> = parts::note_of_template(plan).into_iter().collect();
    for service in &plan.services {
        let name = &service.name;
        notes.extend(compose::notes_of_service(service));
        if on_host(service) {
            notes.push(format!("`{name}` is on the host's network, where its ports are what it listens at"));
        }
        if service.replicas.is_some_and(|replicas| replicas > 1) {
            notes.push(format!("of `{name}` there is one, whatever `replicas` says"));
        }
        for (other, dependency) in &service.dev.dependencies {
            if matches!(dependency.probe, Some(Probe::Http(..) | Probe::Port(_))) {
                notes.push(format!(
                    "`{name}` does not wait until `{other}` is ready: compose asks by a command alone, as in `healthcheck = {{ command = … }}`"
                ));
            }
        }
    }
    notes.iter().map(|note| format!("dev: {note}")).collect()
}
