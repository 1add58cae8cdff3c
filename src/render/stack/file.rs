//! One stack as a compose file (version 3), and the configuration of its gateway.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::alias::{Alias, family, variable};
use super::{gateway, service};
use crate::app::{Certificate, Service, Stack};
use crate::diagnostic::Note;
use crate::digest::Digest;
use crate::plan::Plan;
use crate::render::document::Piece;
use crate::render::{parts, swarm};

/// A stack as text for other tools.
#[derive(Clone, Debug)]
pub struct StackFile {
    /// The compose file.
    pub document: Value,
    /// The name of the gateway's configuration beside it, and the text.
    pub gateway: Option<(String, String)>,
    /// What it cannot say of the services.
    pub notes: Vec<Note>,
}

/// Names of a stack's services in the order in which they start: those of one list together, the gateway last.
pub fn waves(plan: &Plan, stack: &Stack) -> Vec<Vec<String>> {
    let mut waves: Vec<Vec<String>> = Vec::new();
    let mut open: Vec<&Service> = stack.members(&plan.services);
    while !open.is_empty() {
        let waits = |service: &Service| open.iter().any(|other| service.depends_on.iter().any(|n| n == other.name.as_str()));
        let (later, now): (Vec<&Service>, Vec<&Service>) = open.iter().partition(|service| waits(service));
        // A plan has no cycles; without this, one would never end.
        let (later, now) = if now.is_empty() { (now, later) } else { (later, now) };
        waves.push(now.iter().map(|service| service.name.to_string()).collect());
        open = later;
    }
    if stack.gateway.is_some() {
        waves.push(vec!["gateway".to_owned()]);
    }
    waves
}

/// One stack; `folder` is where its file is to stand.
pub fn stack_file(plan: &Plan, stack: &Stack, alias: Alias<'_>, folder: &Path) -> StackFile {
    let members = stack.members(&plan.services);
    let gateway = stack.gateway.as_ref().map(|gateway| (gateway, gateway::configuration(plan, stack, gateway, alias)));
    let mut services: Map<String, Value> = Map::new();
    let mut notes = Vec::new();
    for member in &members {
        let Piece { mut map, notes: lost } = service::render(plan, stack, member, folder);
        notes.extend(lost);
        told(&mut map, plan, stack, alias);
        if !map.contains_key("networks") {
            let parent = alias.is_some() && gateway.is_none();
            map.insert("networks".into(), networks_of(parent.then(Vec::new)));
        }
        services.insert(member.name.to_string(), map.into());
    }
    let mut document = Map::new();
    document.insert("version".into(), "3.8".into());
    let mut networks = Map::new();
    networks.insert("children".into(), json!({ "driver": "overlay", "attachable": true, "name": family(plan, stack, alias) }));
    networks.insert("sibling".into(), json!({ "driver": "overlay" }));
    if alias.is_some() {
        networks.insert("parent".into(), json!({ "external": true, "name": variable(plan, stack, alias, "PARENT_NETWORK") }));
    }
    networks.extend(swarm::networks(members.iter().copied()).into_iter().filter(|(name, _)| name == "host"));
    let mut configuration = None;
    if let Some((gateway, text)) = gateway {
        let mut map = gateway::service(plan, gateway, alias);
        told(&mut map, plan, stack, alias);
        map.insert("networks".into(), networks_of(alias.map(|alias| vec![alias.to_owned()])));
        services.insert("gateway".into(), map.into());
        let name = format!("{}.gateway.conf", stack.name);
        let sum = Digest::of(text.as_bytes()).hex();
        let full = format!("{}_gw_{}", variable(plan, stack, alias, "STACKNAME"), &sum[..8]);
        document.insert("configs".into(), json!({ "gateway": { "file": format!("./{name}"), "name": full } }));
        if let Some(https) = &gateway.https {
            let secret = |name: String| json!({ "external": true, "name": name });
            let (certificate, key) = match &https.certificate {
                Certificate::Secrets { certificate, key } => (certificate.clone(), key.clone()),
                Certificate::SelfSigned => self_signed(&variable(plan, stack, alias, "STACKNAME")),
            };
            document.insert("secrets".into(), json!({ "certificate": secret(certificate), "key": secret(key) }));
        }
        configuration = Some((name, text));
    }
    document.insert("services".into(), services.into());
    document.insert("networks".into(), networks.into());
    let volumes = parts::volume_names(members);
    if !volumes.is_empty() {
        document.insert("volumes".into(), volumes.into_iter().map(|name| (name, json!({}))).collect::<Map<_, _>>().into());
    }
    StackFile { document: document.into(), gateway: configuration, notes }
}

/// The names of the secrets with the certificate that is made for a stack, and its key.
pub fn self_signed(full: &str) -> (String, String) {
    (format!("{full}_certificate"), format!("{full}_key"))
}

/// Adds the five variables of the swarm; what the service says itself stays.
fn told(map: &mut Map<String, Value>, plan: &Plan, stack: &Stack, alias: Alias<'_>) {
    let environment = map.entry("environment").or_insert_with(|| json!({}));
    let Some(environment) = environment.as_object_mut() else { return };
    for name in ["PARENT", "PARENTHOST", "APPNAME", "STACKNAME", "PARENT_NETWORK"] {
        let value = variable(plan, stack, alias, name);
        environment.entry(format!("{}_{name}", plan.swarm.variables)).or_insert(value.into());
    }
}

fn networks_of(parent: Option<Vec<String>>) -> Value {
    let mut networks = json!({ "children": {}, "sibling": {} });
    if let Some(aliases) = parent {
        networks["parent"] = if aliases.is_empty() { json!({}) } else { json!({ "aliases": aliases }) };
    }
    networks
}
