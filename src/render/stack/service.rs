//! A service in a stack: that of a swarm, with the ports and names that the swarm's routing gives it.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::app::{Port, Protocol, Service, Stack};
use crate::plan::Plan;
use crate::render::document::{Piece, merge};
use crate::render::swarm;

/// How long a service of a stack may take to end, unless its table says otherwise. Stacks end one service after another.
const GRACE_PERIOD: &str = "1m";

/// One service; `folder` is where the stack file is to stand. Its networks are added around it, unless it has some.
pub fn render(plan: &Plan, stack: &Stack, service: &Service, folder: &Path) -> Piece {
    let Piece { mut map, notes } = swarm::service(service, &stack.image_of(service), folder);
    let container = &service.container;
    let mut under = Map::new();
    under.insert("stop_signal".into(), plan.swarm.stop_signal.clone().into());
    if container.stop_grace_period.is_none() && !service.compose.contains_key("stop_grace_period") {
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
    if map.contains_key("ports") && !service.compose.contains_key("ports") {
        let open = |port: &Port| Some(published(plan, port.container, port.host_number()?, port.protocol == Protocol::Udp));
        let ports: Vec<Value> = container.ports.iter().filter_map(open).collect();
        map.remove("ports");
        if !ports.is_empty() {
            map.insert("ports".into(), ports.into());
        }
    }
    merge(&mut under, &map);
    Piece { map: under, notes }
}

/// Whether a service's name leads to the replicas themselves; its published ports are then those of the node of each.
pub fn direct(plan: &Plan, member: Option<&Service>) -> bool {
    !plan.swarm.mesh && member.is_none_or(|member| !member.container.is_on_host())
}

/// A port in the long form, the only one that says where it is open.
pub fn published(plan: &Plan, target: u16, published: u16, udp: bool) -> Value {
    let mode = if plan.swarm.mesh { "ingress" } else { "host" };
    json!({ "target": target, "published": published, "protocol": if udp { "udp" } else { "tcp" }, "mode": mode })
}
