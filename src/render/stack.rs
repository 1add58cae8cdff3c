//! Stacks as files for `docker stack deploy`: a compose file (version 3) each, and the configuration of its gateway.
//!
//! What differs from one deployment to the next is a variable in them, with the value for a deployment by hand as its default.

mod alias;
mod api;
mod file;
mod gateway;
mod requests;
mod service;

use std::collections::BTreeMap;

use anyhow::Result;

use super::document::{Rendered, yaml};
use super::parts;
use crate::app::{GeneratedFile, Stack};
use crate::diagnostic::{Code, Note};
use crate::plan::Plan;

pub use file::{StackFile, self_signed, stack_file, waves};
pub use requests::{Others, controller_notes, stack_requests};

/// All stacks of an app, below `stacks/`.
pub fn files(plan: &Plan, others: &Others) -> Result<Rendered> {
    let mut files = Vec::new();
    let mut lost: Vec<Note> = parts::note_of_template(plan).into_iter().collect();
    let outermost = plan.stacks.last().map(|stack| stack.name.clone());
    for stack in &plan.stacks {
        let alias = Some(stack.name.as_str()).filter(|_| outermost.as_ref() != Some(&stack.name));
        let file = stack_file(plan, stack, alias, &plan.output.join("stacks"));
        files.push(GeneratedFile { path: format!("stacks/{}.yml", stack.name), contents: yaml(&file.document)? });
        files.extend(file.gateway.map(|(name, contents)| GeneratedFile { path: format!("stacks/{name}"), contents }));
        lost.extend(file.notes);
        if !has_door(plan, stack) {
            let members = stack.members(&plan.services);
            let routed = members.iter().filter(|member| !member.routes.is_empty());
            lost.extend(routed.map(|member| {
                let text = format!(
                    "the routes of {{services}} are left out: neither the stack `{}` nor one around it has a `gateway`",
                    stack.name
                );
                Code::RoutesIgnored.note_of(&member.name, text)
            }));
        }
    }
    files.extend(stack_requests(plan, others)?);
    let mut notes: Vec<Note> = Vec::new();
    for note in lost.into_iter().map(|note| note.of("stacks")) {
        // A service may be in several stacks.
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    for stack in &plan.stacks {
        let apps = stack.apps.iter().map(|(app, folder)| {
            Code::OtherApp.note(format!(
                "stacks: the files of the app `{app}` are generated in `{}`; `deploy --to swarm` brings it up as well",
                folder.display()
            ))
        });
        notes.extend(apps);
    }
    notes.extend(apart(plan));
    notes.extend(controller_notes(plan, others));
    Ok(Rendered { files, notes })
}

/// Whether a gateway leads to a stack: its own, or that of a stack around it.
fn has_door(plan: &Plan, stack: &Stack) -> bool {
    let within = |around: &&Stack| around.stacks.iter().any(|name| name == stack.name.as_str());
    stack.gateway.is_some() || plan.stacks.iter().filter(within).any(|around| has_door(plan, around))
}

/// Volumes that services of several stacks have, each stack its own.
fn apart(plan: &Plan) -> Vec<Note> {
    let mut stacks: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for stack in &plan.stacks {
        for volume in parts::volume_names(stack.members(&plan.services)) {
            stacks.entry(volume).or_default().push(format!("`{}`", stack.name));
        }
    }
    let several = stacks.into_iter().filter(|(_, stacks)| stacks.len() > 1);
    let said = |(volume, stacks): (String, Vec<String>)| {
        let text = format!("stacks: each of the stacks {} has its own volume `{volume}`", stacks.join(", "));
        Code::VolumeShared.note(text)
    };
    several.map(said).collect()
}
