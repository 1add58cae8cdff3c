//! A compose file for development: this machine's sources and executables are mounted into the services.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::document::{Piece, Rendered, merge, yaml};
use super::{compose, container, parts};
use crate::app::{
    Container, DEV_VARIABLE, Dependency, GeneratedFile, Health, Package, Port, SOURCE_FOLDER, Service, Volume, VolumeSource,
    own_ports,
};
use crate::diagnostic::{Code, Note};
use crate::plan::Plan;

/// The file. `binaries` is the folder in which Cargo puts the executables; the images have to be of their platform.
///
/// # Errors
/// When a placeholder in a service's `dev` table names no dependency or port.
pub fn files(plan: &Plan, binaries: &Path) -> Result<Rendered> {
    // The folder is compose's project: another one than production's.
    let project = format!("dev/{}-dev", plan.name);
    let folder = plan.output.join(&project);
    let ports = own_ports(&plan.services);
    let mut beside: BTreeMap<String, Beside<'_>> = BTreeMap::new();
    let mut taken: BTreeSet<u16> = ports.values().flatten().filter_map(Port::host_number).collect();
    taken.extend(
        plan.services
            .iter()
            .filter(|service| service.container.is_on_host())
            .flat_map(|s| &s.container.ports)
            .map(|port| port.container),
    );
    let mut services = Vec::new();
    let mut notes: Vec<Note> = parts::note_of_template(plan).into_iter().collect();
    for (service, package) in plan.packages() {
        let mut names = BTreeMap::new();
        for (name, dependency) in service.dev.beside() {
            // Services that say the same of a name share what it names.
            let shared = beside.get(name).is_none_or(|other| other.dependency == dependency);
            let own = if shared { name.clone() } else { format!("{}-{name}", service.name) };
            let beside = beside.entry(own.clone()).or_insert_with(|| Beside { dependency, at_host: BTreeMap::new() });
            if service.container.is_on_host() {
                beside.publish(&mut taken);
            }
            names.insert(name.as_str(), own);
        }
        let place = Place { folder: &folder, binaries, ports: ports.get(service.name.as_str()) };
        let Piece { mut map, notes: lost } = of_service(plan, service, package, place);
        notes.extend(lost);
        notes.extend(notes_of_service(service));
        let at = |name: &str, port: u16| {
            let own = names.get(name).cloned().unwrap_or_else(|| name.to_owned());
            let published = || ports.get(name)?.iter().find(|own| own.container == port)?.host_number();
            let at_host = match beside.get(&own) {
                Some(beside) => beside.at_host.get(&port).copied(),
                None => published(),
            };
            match at_host.filter(|_| service.container.is_on_host()) {
                Some(number) => ("127.0.0.1".to_owned(), number),
                None => (own, port),
            }
        };
        let mut variables = service.dev.variables(&at).map_err(anyhow::Error::msg)?;
        variables.insert(DEV_VARIABLE.0.to_owned(), DEV_VARIABLE.1.to_owned());
        let variables = variables.into_iter().map(|(name, value)| (name, Value::from(parts::escaped(&value))));
        merge(&mut map, &Map::from_iter([("environment".to_owned(), Value::Object(variables.collect()))]));
        if !names.is_empty() {
            let conditions = names.iter().map(|(name, own)| (own.clone(), condition(&service.dev.dependencies[*name])));
            add_conditions(&mut map, conditions.collect());
        }
        merge(&mut map, &service.compose);
        services.push((service.name.to_string(), map));
    }
    for service in plan.services.iter().filter(|service| service.upstream().is_some()) {
        let own = ports.get(service.name.as_str()).cloned();
        let container = in_dev(service.described(), own);
        let Piece { mut map, notes: lost } = compose::service(plan, service, &container, Some(&folder));
        notes.extend(lost);
        notes.extend(notes_of_service(service));
        merge(&mut map, &service.compose);
        services.push((service.name.to_string(), map));
    }
    for (name, beside) in &beside {
        notes.extend(compose::notes_of_secrets(name, &beside.dependency.container));
        services.push((name.clone(), of_dependency(name, beside)));
    }
    let of_services = plan.services.iter().map(|service| &service.container);
    let of_dependencies = beside.values().map(|beside| &beside.dependency.container);
    let volumes = parts::volume_names_of(of_services.chain(of_dependencies));
    let contents = yaml(&compose::with_volumes(plan, services, volumes))?;
    let files = vec![GeneratedFile { path: format!("{project}/docker-compose.dev.yml"), contents }];
    Ok(Rendered { files, notes })
}

/// A dependency, and the ports of this machine at which services find it that are on its network, where no name leads to it.
struct Beside<'a> {
    dependency: &'a Dependency,
    at_host: BTreeMap<u16, u16>,
}

impl Beside<'_> {
    /// Gives each port the same number at 127.0.0.1, or the next free one.
    fn publish(&mut self, taken: &mut BTreeSet<u16>) {
        for port in &self.dependency.container.ports {
            if self.at_host.contains_key(&port.container) {
                continue;
            }
            if let Some(number) = (port.container..=u16::MAX).find(|number| taken.insert(*number)) {
                self.at_host.insert(port.container, number);
            }
        }
    }
}

/// The parts of this machine that a service uses.
struct Place<'a> {
    /// The compose file's folder.
    folder: &'a Path,
    /// The folder with the executables.
    binaries: &'a Path,
    /// The service's host ports.
    ports: Option<&'a Vec<Port>>,
}

fn of_service(plan: &Plan, service: &Service, package: &Package, place: Place<'_>) -> Piece {
    let Place { folder, binaries, ports } = place;
    let container = service.described();
    let mounted = |path: &Path, target: &str| {
        let source = VolumeSource::Host(parts::relative(folder, path));
        Volume { source, target: target.to_owned(), read_only: true }
    };
    let sources = [mounted(&package.folder, SOURCE_FOLDER), mounted(&binaries.join(&package.bin), &package.binary_path)];
    let mut container = in_dev(container, ports.cloned());
    container.volumes.extend(sources);
    compose::service(plan, service, &container, Some(folder))
}

/// During development, a service that fails should stay down, and one replica is enough.
fn in_dev(container: Container, ports: Option<Vec<Port>>) -> Container {
    Container {
        restart: Some("no".into()),
        replicas: None,
        // In the app's own network, which is one as well, others are found by their names.
        network_mode: container.network_mode.filter(|mode| mode != "bridge"),
        ports: ports.unwrap_or_default(),
        health: container.health.map(asked_often),
        ..container
    }
}

/// Each second, so that nothing waits longer than it has to.
fn asked_often(health: Health) -> Health {
    Health { interval: health.interval.or_else(|| Some("1s".into())), ..health }
}

/// What of a dependency is waited for.
fn condition(dependency: &Dependency) -> &'static str {
    let is_checked = dependency.container.health.as_ref().is_some_and(|health| health.command().is_some());
    if is_checked { "service_healthy" } else { "service_started" }
}

/// Adds to what starts before a service; compose has a list for that, or a table with conditions.
fn add_conditions(map: &mut Map<String, Value>, conditions: BTreeMap<String, &'static str>) {
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

fn of_dependency(name: &str, Beside { dependency, at_host }: &Beside<'_>) -> Map<String, Value> {
    let container = dependency.container.clone();
    let ports = container.ports.iter().filter_map(|port| {
        let number = at_host.get(&port.container)?;
        Some(Port { host: Some(format!("127.0.0.1:{number}")), ..port.clone() })
    });
    // Asked for as long as it may take.
    let patiently = |health: Health| Health { retries: health.retries.or(u32::try_from(dependency.wait).ok()), ..health };
    let health = container.health.clone().filter(|health| health.command().is_some()).map(asked_often).map(patiently);
    let container = Container { ports: ports.collect(), health, replicas: None, ..container };
    container::render(Map::new(), name, &container, None, None).map
}

/// Notes on what differs from production.
fn notes_of_service(service: &Service) -> Vec<Note> {
    let name = &service.name;
    let mut notes = compose::notes_of_service(service);
    if service.container.is_on_host() {
        let text = "the host ports of {services} are ignored: ports are not mapped in the host's network";
        notes.push(Code::NetworkDiffers.note_of(name, text));
    }
    if service.container.is_replicated() {
        notes.push(Code::ReplicasIgnored.note_of(name, "`replicas` of {services} is ignored: each service runs once"));
    }
    for (other, dependency) in service.dev.beside() {
        if dependency.container.health.as_ref().is_some_and(|health| health.command().is_none()) {
            let text = format!(
                "nothing waits until `{other}` of {{services}} is ready: compose supports only `healthcheck = {{ command = … }}`"
            );
            notes.push(Code::HealthIgnored.note_of(name, text));
        }
    }
    notes
}
