//! A stack file of Docker Swarm (`docker stack deploy`, compose file format 3.8).

use std::path::Path;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::{merge, parts, yaml};
use crate::app::{GeneratedFile, Port, Service};
use crate::plan::Plan;

/// What of `compose = { … }` a swarm applies; of the rest, some it ignores and some it refuses.
const APPLIED: &str = "cap_add cap_drop command configs credential_spec deploy dns dns_search entrypoint env_file environment \
    extra_hosts healthcheck hostname image init isolation labels logging networks ports read_only secrets stdin_open \
    stop_grace_period stop_signal sysctls tmpfs tty ulimits user volumes working_dir";

/// How long a service may take to end, unless its table says otherwise: the engine's own default, written down.
const GRACE_PERIOD: &str = "10s";

/// The whole app as one stack. With a prefix, images are those that `push --repo PREFIX` sends.
pub fn file(plan: &Plan, prefix: Option<&str>) -> Result<GeneratedFile> {
    let path = "swarm/docker-stack.yml";
    let folder = plan.output.join("swarm");
    let services = plan.services.iter().map(|s| {
        let (name, tag) = parts::image(s, prefix);
        (s.name.to_string(), service(s, &format!("{name}:{tag}"), &folder).into())
    });
    let mut document = Map::new();
    document.insert("version".into(), "3.8".into());
    document.insert("services".into(), services.collect::<Map<_, _>>().into());
    document.insert("networks".into(), networks(&plan.services).into());
    let volumes: Map<String, Value> = parts::volume_names(&plan.services).into_iter().map(|name| (name, json!({}))).collect();
    if !volumes.is_empty() {
        document.insert("volumes".into(), volumes.into());
    }
    Ok(GeneratedFile { path: path.into(), contents: yaml(&document.into())? })
}

/// One service of a stack, with this image; `folder` is where the stack file is to stand. A service on the host's network is in the
/// network `host`, which [`networks`] declares; every other one is in the stack's own.
pub fn service(service: &Service, image: &str, folder: &Path) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("image".into(), image.into());
    map.extend(parts::command(service));
    map.extend(parts::environment(service).map(|value| ("environment".to_owned(), literals(value))));
    map.extend(parts::env_files(service, folder).map(|value| ("env_file".to_owned(), value)));
    if on_host(service) {
        map.insert("networks".into(), json!(["host"]));
    } else {
        // The swarm publishes at all addresses of all nodes: an address of one of them means nothing to it.
        let published =
            service.ports.iter().filter_map(|port| Some(Port { host: Some(port.host_number()?.to_string()), ..port.clone() }));
        map.extend(parts::ports(&published.collect::<Vec<_>>()));
    }
    if !service.volumes.is_empty() {
        map.insert("volumes".into(), service.volumes.iter().map(|volume| Value::from(parts::volume(volume))).collect());
    }
    map.extend(parts::health(service.health.as_ref()).map(|value| ("healthcheck".to_owned(), value)));
    map.insert("stop_grace_period".into(), service.stop_grace_period.as_deref().unwrap_or(GRACE_PERIOD).into());
    let mut deploy = Map::new();
    deploy.insert("replicas".into(), service.replicas.unwrap_or(1).into());
    let condition = match service.restart.as_deref() {
        Some("no") => "none",
        Some("on-failure") => "on-failure",
        _ => "any",
    };
    deploy.insert("restart_policy".into(), json!({ "condition": condition }));
    deploy.extend(parts::resources(&service.resources).map(|value| ("resources".to_owned(), value)));
    map.insert("deploy".into(), deploy.into());
    let over = service.compose.iter().filter(|(key, _)| applies(key));
    merge(&mut map, &over.map(|(key, value)| (key.clone(), value.clone())).collect());
    map
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
    if services.into_iter().any(on_host) {
        networks.insert("host".into(), json!({ "external": true, "name": "host" }));
    }
    networks
}

/// What the file cannot say.
pub fn notes(plan: &Plan) -> Vec<String> {
    let mut notes: Vec<String> = parts::note_of_template(plan).into_iter().collect();
    if !plan.swarm.mesh {
        notes.push("`routing = \"host\"` is left out: it is for the files of `--for stacks`".into());
    }
    for service in &plan.services {
        let name = &service.name;
        if !service.depends_on.is_empty() {
            let others = listed(&service.depends_on);
            notes.push(format!("all services start at once: `{name}` has to try again until {others} answers"));
        }
        if !service.routes.is_empty() {
            notes.push(format!("the routes of `{name}` are left out: a stack has no proxy"));
        }
        notes.extend(notes_of_services([service]));
    }
    notes.iter().map(|note| format!("swarm: {note}")).collect()
}

/// What no stack file can say of these services.
pub fn notes_of_services<'a>(services: impl IntoIterator<Item = &'a Service>) -> Vec<String> {
    let mut notes = Vec::new();
    for service in services {
        let name = &service.name;
        let mut note = |text: String| notes.push(text);
        if service.health.as_ref().is_some_and(|health| health.http.is_some()) {
            note(format!("the health check of `{name}` is left out: its image has no program that asks over HTTP"));
        }
        if service.network_mode.as_deref() == Some("none") {
            note(format!("`{name}` is in the stack's network: a swarm knows no `network-mode = \"none\"`"));
        }
        if let Some(port) = service.ports.iter().find(|port| port.host.as_ref().is_some_and(|host| host.contains(':'))) {
            note(format!("the port {} of `{name}` is published at all addresses of all nodes", port.short()));
        }
        if !service.devices.is_empty() {
            note(format!("the devices of `{name}` are left out: a swarm gives none"));
        }
        if service.privileged {
            note(format!("`{name}` is not privileged: a swarm knows no `privileged`"));
        }
        for variable in service.secrets.keys() {
            note(format!(
                "`{variable}` of `{name}` comes from the environment of `docker stack deploy`, and managers can see it"
            ));
        }
        let unknown: Vec<String> = service.compose.keys().filter(|key| !applies(key)).cloned().collect();
        if !unknown.is_empty() {
            note(format!("{} of `compose` of `{name}` is left out: a swarm does not apply it", listed(&unknown)));
        }
    }
    notes
}

fn applies(key: &str) -> bool {
    key.starts_with("x-") || APPLIED.split_whitespace().any(|known| known == key)
}

fn on_host(service: &Service) -> bool {
    service.network_mode.as_deref() == Some("host")
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
