//! A service in a stack file: its compose form without what swarms do not know, and with what they know instead.

use serde_json::{Map, Value, json};

use super::direct;
use crate::app::{Protocol, Service, Stack};
use crate::plan::Plan;
use crate::render::{compose, merge};

/// How long a replica may take to end after it was asked to.
const GRACE: &str = "1m";

/// One service; networks are added around it.
pub fn render(plan: &Plan, stack: &Stack, service: &Service) -> Map<String, Value> {
    let mut map = compose::service(plan, service);
    for key in ["container_name", "restart", "depends_on", "network_mode", "devices", "privileged", "ports"] {
        map.remove(key);
    }
    map.insert("image".into(), stack.image_of(service).to_string().into());
    map.insert("stop_signal".into(), "SIGTERM".into());
    map.insert("stop_grace_period".into(), GRACE.into());
    let condition = match service.restart.as_deref() {
        Some("no") => "none",
        Some("on-failure") => "on-failure",
        _ => "any",
    };
    let mut deploy = json!({
        "replicas": service.replicas.unwrap_or(1),
        "restart_policy": { "condition": condition },
    });
    if direct(plan, Some(service)) {
        deploy["endpoint_mode"] = "dnsrr".into();
    }
    map.insert("deploy".into(), deploy);
    if service.network_mode.as_deref() == Some("host") {
        map.insert("networks".into(), json!({ "host": {} }));
    } else {
        let ports: Vec<Value> = service
            .ports
            .iter()
            .filter_map(|port| Some(published(plan, port.container, port.host_number()?, port.protocol == Protocol::Udp)))
            .collect();
        if !ports.is_empty() {
            map.insert("ports".into(), ports.into());
        }
    }
    if !service.args.is_empty() && service.package.is_empty() {
        map.insert("command".into(), service.args.iter().map(|word| Value::from(compose::escaped(word))).collect());
    }
    if !service.env_files.is_empty() {
        map.insert("env_file".into(), service.env_files.iter().map(|path| Value::from(path.to_string_lossy())).collect());
    }
    merge(&mut map, &service.compose);
    map
}

/// A port in the long form, the only one that says where it is open.
pub fn published(plan: &Plan, target: u16, published: u16, udp: bool) -> Value {
    let mode = if plan.swarm.mesh { "ingress" } else { "host" };
    json!({ "target": target, "published": published, "protocol": if udp { "udp" } else { "tcp" }, "mode": mode })
}

/// What is lost on the way into a swarm.
pub fn notes(service: &Service) -> Vec<String> {
    let mut notes = Vec::new();
    let name = &service.name;
    for (key, there) in [("privileged", service.privileged), ("devices", !service.devices.is_empty())] {
        if there {
            notes.push(format!("Docker Swarm does not know `{key}`: `{name}` runs without"));
        }
    }
    if service.ports.iter().any(|port| port.host.as_deref().is_some_and(|host| host.contains(':'))) {
        notes.push(format!("Docker Swarm publishes ports at every address: that of `{name}` is left out"));
    }
    if !service.depends_on.is_empty() && service.compose.contains_key("depends_on") {
        notes.push(format!("Docker Swarm does not know `depends_on`: only `cargo appbundle deploy` starts `{name}` in order"));
    }
    notes
}
