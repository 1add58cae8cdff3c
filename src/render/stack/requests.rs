//! Stacks that are images, as their controllers read them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::alias::{Alias, variable};
use super::api;
use super::file::{self_signed, stack_file, waves};
use crate::app::{Certificate, GeneratedFile, Stack};
use crate::diagnostic::{Code, Note};
use crate::plan::Plan;

/// Plans of the apps of other workspaces, by their folders.
pub type Others = BTreeMap<PathBuf, Plan>;

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

/// What a controller does not apply of the services of its stack.
pub fn controller_notes(plan: &Plan, others: &Others) -> Vec<Note> {
    let mut notes = Vec::new();
    for top in controlled(plan) {
        let mut open = vec![top];
        while let Some(Controlled { plan, stack, alias }) = open.pop() {
            open.extend(Controlled { plan, stack, alias }.inner(others));
            let file = stack_file(plan, stack, alias, &plan.output.join("stacks"));
            for (service, left) in api::left_out(&file.document) {
                let left = left.join(", ");
                let text = format!(
                    "stacks: {left} of {{services}} is left out: the controller of `{}` does not support it",
                    top.stack.name
                );
                notes.push(Code::KeysIgnored.note_of(service, text));
            }
        }
    }
    notes
}
