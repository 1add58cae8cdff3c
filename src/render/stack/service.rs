//! A service in a stack: that of a swarm, with the ports and names that the swarm's routing gives it.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::direct;
use crate::app::{Protocol, Service, Stack};
use crate::plan::Plan;
use crate::render::{merge, parts, swarm};

/// How long a service of a stack may take to end, unless its table says otherwise. Stacks end one service after another.
const GRACE_PERIOD: &str = "1m";

/// One service; `folder` is where the stack file is to stand. Its networks are added around it, unless it has some.
pub fn render(plan: &Plan, stack: &Stack, service: &Service, folder: &Path) -> Map<String, Value> {
    let mut map = swarm::service(service, &stack.image_of(service).to_string(), folder);
    let mut under = Map::new();
    under.insert("stop_signal".into(), plan.swarm.stop_signal.clone().into());
    if service.stop_grace_period.is_none() && !service.compose.contains_key("stop_grace_period") {
        map.insert("stop_grace_period".into(), GRACE_PERIOD.into());
    }
    if direct(plan, Some(service)) {
        under.insert("deploy".into(), json!({ "endpoint_mode": "dnsrr" }));
    }
    if service.controls.is_some() {
        // Only a manager answers what a controller asks.
        let deploy = under.entry("deploy").or_insert_with(|| json!({}));
        deploy["placement"] = json!({ "constraints": ["node.role == manager"] });
    }
    if !service.args.is_empty() && service.package.is_empty() {
        under.insert("command".into(), service.args.iter().map(|word| Value::from(parts::escaped(word))).collect());
    }
    if map.contains_key("ports") && !service.compose.contains_key("ports") {
        let ports = service
            .ports
            .iter()
            .filter_map(|port| Some(published(plan, port.container, port.host_number()?, port.protocol == Protocol::Udp)));
        let ports: Vec<Value> = ports.collect();
        map.remove("ports");
        if !ports.is_empty() {
            map.insert("ports".into(), ports.into());
        }
    }
    merge(&mut under, &map);
    under
}

/// A port in the long form, the only one that says where it is open.
pub fn published(plan: &Plan, target: u16, published: u16, udp: bool) -> Value {
    let mode = if plan.swarm.mesh { "ingress" } else { "host" };
    json!({ "target": target, "published": published, "protocol": if udp { "udp" } else { "tcp" }, "mode": mode })
}
