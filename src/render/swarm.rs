//! A stack file of Docker Swarm (`docker stack deploy`, compose file format 3.8).

use std::path::Path;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::container::{self, some};
use super::document::{Piece, Rendered, merge, yaml};
use super::parts;
use crate::app::{Confinement, Container, GeneratedFile, ImageRef, Port, Service};
use crate::diagnostic::{Code, Note};
use crate::plan::Plan;

/// What of `compose = { … }` a swarm applies, beside all that confines a container; of the rest, some it ignores and some it refuses.
const APPLIED: &str = "command configs credential_spec deploy dns dns_search entrypoint env_file environment extra_hosts healthcheck \
    hostname image isolation labels logging networks ports secrets stdin_open stop_grace_period stop_signal sysctls tty ulimits \
    user volumes working_dir";

/// Default stop grace period of a service, which is the engine's own default.
const GRACE_PERIOD: &str = "10s";

/// Renders the app as one stack. With a prefix, images have the names that `push --repo PREFIX` pushes.
pub fn files(plan: &Plan, prefix: Option<&str>) -> Result<Rendered> {
    let folder = plan.output.join("swarm");
    let mut notes: Vec<Note> = parts::note_of_template(plan).into_iter().collect();
    if !plan.swarm.mesh {
        notes.push(Code::RoutingIgnored.note("`routing = \"host\"` is left out: it applies only to `--for stacks`"));
    }
    let mut services = Map::new();
    for of in &plan.services {
        let name = &of.name;
        let Piece { map, notes: lost } = service(of, &of.image_in(prefix), &folder);
        if !of.depends_on.is_empty() {
            let others = listed(&of.depends_on);
            let text = format!("all services start at once: {{services}} must retry until {others} answers");
            notes.push(Code::OrderIgnored.note_of(name, text));
        }
        if !of.routes.is_empty() {
            notes.push(Code::RoutesIgnored.note_of(name, "the routes of {services} are left out: a stack has no proxy"));
        }
        notes.extend(lost);
        services.insert(name.to_string(), map.into());
    }
    let mut document = Map::new();
    document.insert("version".into(), "3.8".into());
    document.insert("services".into(), services.into());
    document.insert("networks".into(), networks(&plan.services).into());
    let volumes: Map<String, Value> = parts::volume_names(&plan.services).into_iter().map(|name| (name, json!({}))).collect();
    if !volumes.is_empty() {
        document.insert("volumes".into(), volumes.into());
    }
    let files = vec![GeneratedFile { path: "swarm/docker-stack.yml".into(), contents: yaml(&document.into())? }];
    Ok(Rendered { files, notes })
}

/// One service of a stack, with this image; `folder` is where the stack file is to stand. A service on the host's network is in the
/// network `host`, which [`networks`] declares; every other one is in the stack's own.
pub fn service(service: &Service, image: &ImageRef, folder: &Path) -> Piece {
    let name = &service.name;
    let container = service.described();
    let on_host = container.is_on_host();
    let Container {
        image: _,
        command,
        args,
        environment,
        secrets,
        env_files,
        ports,
        volumes,
        health,
        user,
        workdir,
        restart,
        network_mode,
        devices,
        privileged,
        confinement,
        labels,
        replicas,
        resources,
        stop_grace_period,
    } = container;
    let (mut map, mut notes) = (Map::new(), Vec::new());
    let mut put = |key: &str, value: Option<Value>| map.extend(value.map(|value| (key.to_owned(), value)));
    put("image", Some(image.as_str().into()));
    put("entrypoint", command.as_deref().map(parts::words));
    put("command", some(&args).map(parts::words));
    put("user", user.map(Value::from));
    put("working_dir", workdir.map(Value::from));
    put("environment", parts::environment(&environment, &secrets).map(literals));
    put("env_file", parts::env_files(&env_files, folder));
    container::confined(&confinement).into_iter().for_each(|(key, value)| put(key, value));
    if on_host {
        put("networks", Some(json!(["host"])));
    } else {
        // The swarm publishes at all addresses of all nodes: an address of one of them means nothing to it.
        let published =
            ports.iter().filter_map(|port| Some(Port { host: Some(port.host_number()?.to_string()), ..port.clone() }));
        parts::ports(&published.collect::<Vec<_>>()).into_iter().for_each(|(key, value)| put(&key, Some(value)));
    }
    let mounted = volumes.iter().map(|volume| Value::from(parts::volume(volume)));
    let mounted: Vec<Value> = mounted.chain(container::in_memory(&confinement)).collect();
    put("volumes", some(&mounted).map(Value::from));
    put("healthcheck", health.as_ref().and_then(parts::health));
    notes.extend(health.as_ref().and_then(|health| container::without_health(name.as_str(), health)));
    put("stop_grace_period", Some(stop_grace_period.as_deref().unwrap_or(GRACE_PERIOD).into()));
    let mut deploy = Map::new();
    deploy.insert("replicas".into(), replicas.unwrap_or(1).into());
    let condition = match restart.as_deref() {
        Some("no") => "none",
        Some("on-failure") => "on-failure",
        _ => "any",
    };
    deploy.insert("restart_policy".into(), json!({ "condition": condition }));
    deploy.extend(parts::resources(&resources).map(|value| ("resources".to_owned(), value)));
    put("deploy", Some(deploy.into()));
    put("labels", (!labels.is_empty()).then(|| parts::variables(&labels)));
    if network_mode.as_deref() == Some("none") {
        let text = "`network-mode = \"none\"` of {services} has no equivalent in a swarm: the stack's network is used";
        notes.push(Code::NetworkDiffers.note_of(name, text));
    }
    if let Some(port) = ports.iter().find(|port| port.host.as_ref().is_some_and(|host| host.contains(':'))) {
        let text = format!("the port {} of {{services}} is published on all addresses of all nodes", port.short());
        notes.push(Code::PortReach.note_of(name, text));
    }
    if !devices.is_empty() {
        notes.push(Code::DevicesIgnored.note_of(name, "the devices of {services} are left out: swarms do not support devices"));
    }
    if privileged {
        notes.push(
            Code::PrivilegedIgnored.note_of(name, "`privileged` of {services} is left out: it has no equivalent in a swarm"),
        );
    }
    for variable in secrets.keys() {
        let text =
            format!("`{variable}` of {{services}} comes from the environment of `docker stack deploy`, and managers can see it");
        notes.push(Code::SecretSource.note_of(name, text));
    }
    let unknown: Vec<String> = service.compose.keys().filter(|key| !applies(key)).cloned().collect();
    if !unknown.is_empty() {
        let text = format!("{} in `compose` of {{services}} is left out: swarms ignore it", listed(&unknown));
        notes.push(Code::KeysIgnored.note_of(name, text));
    }
    let over = service.compose.iter().filter(|(key, _)| applies(key));
    merge(&mut map, &over.map(|(key, value)| (key.clone(), value.clone())).collect());
    Piece { map, notes }
}

/// What becomes this text in a task's variable: a swarm replaces `{{…}}` there. `compose` can ask for that.
pub fn literal(text: &str) -> String {
    text.replace("{{", "{{\"{{\"}}")
}

fn literals(mut environment: Value) -> Value {
    for (_, value) in environment.as_object_mut().into_iter().flatten() {
        if let Some(text) = value.as_str() {
            *value = literal(text).into();
        }
    }
    environment
}

/// The networks of a stack: its own, over all nodes, and the hosts', if one of the services is in it.
pub fn networks<'a>(services: impl IntoIterator<Item = &'a Service>) -> Map<String, Value> {
    let mut networks = Map::new();
    networks.insert("default".into(), json!({ "driver": "overlay", "attachable": true }));
    if services.into_iter().any(|service| service.container.is_on_host()) {
        networks.insert("host".into(), json!({ "external": true, "name": "host" }));
    }
    networks
}

fn applies(key: &str) -> bool {
    let confines = || container::confined(&Confinement::default()).iter().any(|(known, _)| *known == key);
    key.starts_with("x-") || APPLIED.split_whitespace().any(|known| known == key) || confines()
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
