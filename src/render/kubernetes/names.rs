//! What the documents of a service and its pod call the same.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::app::{Port, Protocol, Route, Service};
use crate::plan::Plan;

pub fn labels(plan: &Plan, service: Option<&Service>) -> Map<String, Value> {
    let mut labels = Map::new();
    labels.extend(service.map(|service| ("app.kubernetes.io/name".to_owned(), service.name.as_str().into())));
    labels.insert("app.kubernetes.io/part-of".into(), plan.name.as_str().into());
    labels
}

/// The same, and those that may change.
pub fn all_labels(plan: &Plan, service: Option<&Service>) -> Map<String, Value> {
    let mut labels = labels(plan, service);
    let version = plan.version.tag.as_str();
    let alphanumeric = |c: char| c.is_ascii_alphanumeric();
    if version.len() <= 63 && version.starts_with(alphanumeric) && version.ends_with(alphanumeric) {
        labels.insert("app.kubernetes.io/version".into(), version.into());
    }
    labels
}

pub fn claim_name(plan: &Plan, volume: &str) -> String {
    format!("{}-{volume}", plan.name)
}

pub fn config_name(service: &Service) -> String {
    format!("{}-environment", service.name)
}

/// The secret that an `env-file` has to be made into.
pub fn env_file_secret(service: &Service) -> String {
    format!("{}-env-file", service.name)
}

/// The ports at which a service can be reached: its own, and those of its routes.
pub fn reached(ports: &[Port], routes: &BTreeMap<String, Route>) -> Vec<Port> {
    let mut ports: Vec<Port> = ports.iter().map(|port| Port { host: None, ..port.clone() }).collect();
    for route in routes.values() {
        if let Route::Port(container) = route {
            ports.push(Port { host: None, container: *container, protocol: Protocol::Tcp });
        }
    }
    ports.sort_by_key(|port| (port.container, port.exposed()));
    ports.dedup();
    ports
}

pub fn protocol(port: &Port) -> &'static str {
    match port.protocol {
        Protocol::Tcp => "TCP",
        Protocol::Udp => "UDP",
    }
}
