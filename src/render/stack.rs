//! Stacks as files for `docker stack deploy`: a compose file (version 3) each, and the configuration of its gateway.
//!
//! What differs from one deployment to the next is a variable in them, with the value for a deployment by hand as its default.

mod api;
mod gateway;
mod service;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::{parts, swarm, yaml};
use crate::app::{Certificate, GeneratedFile, Service, Stack};
use crate::digest::Digest;
use crate::plan::Plan;

/// A stack as text for other tools.
#[derive(Clone, Debug)]
pub struct StackFile {
    /// The compose file.
    pub document: Value,
    /// The name of the gateway's configuration beside it, and the text.
    pub gateway: Option<(String, String)>,
}

/// Where a stack is deployed: the name that the stack around it has for it; none for the outermost.
type Alias<'a> = Option<&'a str>;

/// Plans of the apps of other workspaces, by their folders.
pub type Others = BTreeMap<PathBuf, Plan>;

/// All stacks of an app, below `stacks/`.
pub fn stack_files(plan: &Plan, others: &Others) -> Result<Vec<GeneratedFile>> {
    let mut files = Vec::new();
    let outermost = plan.stacks.last().map(|stack| stack.name.clone());
    for stack in &plan.stacks {
        let alias = Some(stack.name.as_str()).filter(|_| outermost.as_ref() != Some(&stack.name));
        let file = stack_file(plan, stack, alias, &plan.output.join("stacks"));
        files.push(GeneratedFile { path: format!("stacks/{}.yml", stack.name), contents: yaml(&file.document)? });
        files.extend(file.gateway.map(|(name, contents)| GeneratedFile { path: format!("stacks/{name}"), contents }));
    }
    files.extend(stack_requests(plan, others)?);
    Ok(files)
}

/// Each stack that is an image, as its controller reads it: with the stacks in it, but for those that have controllers themselves.
pub fn stack_requests(plan: &Plan, others: &Others) -> Result<Vec<GeneratedFile>> {
    controlled(plan)
        .map(|top| {
            let mut value = requests(top, others);
            value.insert("App".into(), plan.name.to_string().into());
            let contents = serde_json::to_string_pretty(&value)? + "\n";
            Ok(GeneratedFile { path: format!("stacks/{}.json", top.stack.name), contents })
        })
        .collect()
}

/// A stack that a controller brings up: one that is an image, or is in one.
#[derive(Clone, Copy)]
struct Controlled<'a> {
    plan: &'a Plan,
    stack: &'a Stack,
    alias: Alias<'a>,
}

impl<'a> Controlled<'a> {
    /// The stacks in it that have no controllers themselves, and the apps of other workspaces.
    fn inner(self, others: &'a Others) -> impl Iterator<Item = Self> {
        let own = |other: &&Stack| !other.image && self.stack.stacks.iter().any(|name| name == other.name.as_str());
        let own = self.plan.stacks.iter().filter(own);
        let own = own.map(move |stack| Self { plan: self.plan, stack, alias: Some(stack.name.as_str()) });
        let apps = self.stack.apps.iter().filter_map(|(name, folder)| {
            let plan = others.get(folder)?;
            Some(Self { plan, stack: plan.stacks.last()?, alias: Some(name) })
        });
        own.chain(apps)
    }
}

/// The stacks that are images.
fn controlled<'a>(plan: &'a Plan) -> impl Iterator<Item = Controlled<'a>> {
    let outermost = plan.stacks.last().map(|last| &last.name);
    let images = plan.stacks.iter().filter(|stack| stack.image);
    images.map(move |stack| Controlled {
        plan,
        stack,
        alias: Some(stack.name.as_str()).filter(|_| outermost != Some(&stack.name)),
    })
}

fn requests(top: Controlled<'_>, others: &Others) -> Map<String, Value> {
    let Controlled { plan, stack, alias } = top;
    let file = stack_file(plan, stack, alias, &plan.output.join("stacks"));
    let full = variable(plan, stack, alias, "STACKNAME");
    let mut value = api::requests(&file, &full, &waves(plan, stack));
    if let Some(https) = stack.gateway.as_ref().and_then(|gateway| gateway.https.as_ref())
        && https.certificate == Certificate::SelfSigned
    {
        let (certificate, key) = self_signed(&full);
        value.insert("SelfSigned".into(), json!({ "Certificate": certificate, "Key": key }));
    }
    value.insert("Name".into(), alias.unwrap_or(stack.name.as_str()).into());
    value.insert("Variables".into(), plan.swarm.variables.clone().into());
    value.insert("Stacks".into(), top.inner(others).map(|inner| Value::from(requests(inner, others))).collect());
    value
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
    for member in &members {
        let mut map = service::render(plan, stack, member, folder);
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
    StackFile { document: document.into(), gateway: configuration }
}

/// The names of the secrets with the certificate that is made for a stack, and its key.
pub fn self_signed(full: &str) -> (String, String) {
    (format!("{full}_certificate"), format!("{full}_key"))
}

/// What a stack file cannot say.
pub fn notes(plan: &Plan, others: &Others) -> Vec<String> {
    let mut lost: Vec<String> = parts::note_of_template(plan).into_iter().collect();
    for stack in &plan.stacks {
        let members = stack.members(&plan.services);
        lost.extend(swarm::notes_of_services(members.iter().copied()));
        if !has_door(plan, stack) {
            let routed = members.iter().filter(|member| !member.routes.is_empty());
            lost.extend(routed.map(|member| {
                format!(
                    "the routes of `{}` are left out: neither the stack `{}` nor one around it has a `gateway`",
                    member.name, stack.name
                )
            }));
        }
    }
    let mut notes: Vec<String> = Vec::new();
    for note in lost.into_iter().map(|note| format!("stacks: {note}")) {
        // A service may be in several stacks.
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    for stack in &plan.stacks {
        let apps = stack.apps.iter().map(|(app, folder)| {
            format!(
                "stacks: the files of the app `{app}` are generated in `{}`; `deploy --to swarm` brings it up as well",
                folder.display()
            )
        });
        notes.extend(apps);
    }
    notes.extend(apart(plan));
    notes.extend(controller_notes(plan, others));
    notes
}

/// Whether a gateway leads to a stack: its own, or that of a stack around it.
fn has_door(plan: &Plan, stack: &Stack) -> bool {
    let within = |around: &&Stack| around.stacks.iter().any(|name| name == stack.name.as_str());
    stack.gateway.is_some() || plan.stacks.iter().filter(within).any(|around| has_door(plan, around))
}

/// Volumes that services of several stacks have, each stack its own.
fn apart(plan: &Plan) -> Vec<String> {
    let mut stacks: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for stack in &plan.stacks {
        for volume in parts::volume_names(stack.members(&plan.services)) {
            stacks.entry(volume).or_default().push(format!("`{}`", stack.name));
        }
    }
    let several = stacks.into_iter().filter(|(_, stacks)| stacks.len() > 1);
    let said = |(volume, stacks): (String, Vec<String>)| {
        format!("stacks: the volume `{volume}` is another one in each of the stacks {}", stacks.join(", "))
    };
    several.map(said).collect()
}

/// What a controller does not apply of the services of its stack.
pub fn controller_notes(plan: &Plan, others: &Others) -> Vec<String> {
    let mut notes = Vec::new();
    for top in controlled(plan) {
        let mut open = vec![top];
        while let Some(Controlled { plan, stack, alias }) = open.pop() {
            open.extend(Controlled { plan, stack, alias }.inner(others));
            let file = stack_file(plan, stack, alias, &plan.output.join("stacks"));
            for (service, left) in api::left_out(&file.document) {
                let left = left.join(", ");
                notes.push(format!("stacks: {left} of `{service}` is left out by the controller of `{}`", top.stack.name));
            }
        }
    }
    notes
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

/// `${AILTIRE_STACKNAME:-demo}`
fn variable(plan: &Plan, stack: &Stack, alias: Alias<'_>, name: &str) -> String {
    let path = path(plan, stack.name.as_str());
    let parent = &path[..path.len() - 1];
    let default = match name {
        "APPNAME" => plan.name.to_string(),
        "STACKNAME" => path.join("-"),
        "PARENT" if alias.is_some() => parent.join("-"),
        "PARENT_NETWORK" if alias.is_some() => format!("{}_{}_family", plan.name, parent.join("-")),
        _ => String::new(),
    };
    format!("${{{}_{name}:-{default}}}", plan.swarm.variables)
}

/// The names of the stacks around a stack, and its own.
fn path<'a>(plan: &'a Plan, name: &'a str) -> Vec<&'a str> {
    let around = plan.stacks.iter().find(|stack| stack.stacks.iter().any(|inner| inner == name));
    let mut all = around.map(|around| path(plan, around.name.as_str())).unwrap_or_default();
    all.push(name);
    all
}

/// The network in which a stack meets the stacks in it.
fn family(plan: &Plan, stack: &Stack, alias: Alias<'_>) -> String {
    let part = |name| variable(plan, stack, alias, name);
    format!("{}_{}_family", part("APPNAME"), part("STACKNAME"))
}

fn networks_of(parent: Option<Vec<String>>) -> Value {
    let mut networks = json!({ "children": {}, "sibling": {} });
    if let Some(aliases) = parent {
        networks["parent"] = if aliases.is_empty() { json!({}) } else { json!({ "aliases": aliases }) };
    }
    networks
}

/// Whether a service's name leads to the replicas themselves; its published ports are then those of the node of each.
fn direct(plan: &Plan, member: Option<&Service>) -> bool {
    !plan.swarm.mesh && member.is_none_or(|member| member.network_mode.as_deref() != Some("host"))
}
