//! Generated files: the plan as text that other tools read.

mod auterion;
mod compose;
pub mod dev;
mod dockerfile;
pub mod kubernetes;
mod parts;
mod stack;
pub mod swarm;

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

use crate::app::{Destination, GeneratedFile};
use crate::plan::Plan;

pub use auterion::{app_file, metadata, payload_app_file, payload_compose};
pub use compose::document_of;
pub use dockerfile::{BASE_ARG, Context, Copied, build_args, contexts};
pub use stack::{Others, StackFile, controller_notes, self_signed, stack_file, stack_requests, waves};

/// What is written beside the bundle: `app.yml`, and `auterion-app.yml` where that format is asked for.
pub fn files(plan: &Plan) -> Result<Vec<GeneratedFile>> {
    let mut files = vec![GeneratedFile { path: "app.yml".into(), contents: compose::app_yml(plan)? }];
    if let Some(auterion) = &plan.auterion {
        files.push(GeneratedFile { path: "auterion-app.yml".into(), contents: yaml(&app_file(plan, auterion))? });
    }
    Ok(files)
}

/// What a plan does not know of a deployment.
#[derive(Clone, Copy, Debug)]
pub struct Outside<'a> {
    /// The folder in which Cargo puts the executables.
    pub binaries: &'a Path,
    /// `HOST/PATH` of the registry that has the images.
    pub image_prefix: Option<&'a str>,
    /// The apps of other workspaces that controllers of stacks bring up.
    pub others: &'a Others,
}

/// What one kind of deployment needs, in a folder of its name.
pub fn deployment(plan: &Plan, destination: Destination, outside: Outside<'_>) -> Result<Vec<GeneratedFile>> {
    match destination {
        Destination::Compose => Ok(vec![compose::file(plan, outside.image_prefix)?]),
        Destination::Swarm => Ok(vec![swarm::file(plan, outside.image_prefix)?]),
        Destination::Stacks => stack::stack_files(plan, outside.others),
        Destination::Dev => Ok(vec![dev::file(plan, outside.binaries)?]),
        Destination::Kubernetes => kubernetes::files(plan, outside.image_prefix),
        Destination::Auterionos => {
            let mut files = vec![GeneratedFile { path: "auterionos/app.yml".into(), contents: compose::app_yml(plan)? }];
            if let Some(auterion) = &plan.auterion {
                let contents = yaml(&auterion::app_file_beside(plan, auterion))?;
                files.push(GeneratedFile { path: "auterionos/auterion-app.yml".into(), contents });
            }
            Ok(files)
        }
    }
}

/// What one kind of deployment does otherwise than the tables say, or not at all.
pub fn deployment_notes(plan: &Plan, destination: Destination, others: &Others) -> Vec<String> {
    let mut notes = match destination {
        Destination::Compose => compose::notes_of_file(plan),
        Destination::Swarm => swarm::notes(plan),
        Destination::Stacks => stack::notes(plan, others),
        Destination::Dev => dev::notes(plan),
        Destination::Kubernetes => return kubernetes::notes(plan),
        Destination::Auterionos => plan.auterion.iter().flat_map(|auterion| auterion::notes(plan, auterion)).collect(),
    };
    let sized = plan.volumes.iter().filter(|(_, wanted)| wanted.size.is_some()).map(|(name, _)| name);
    notes
        .extend(sized.map(|name| format!("{destination}: the size of the volume `{name}` is left out: volumes have none there")));
    notes
}

/// What is lost between the tables and the targets, in words for the user.
pub fn notes(plan: &Plan) -> Vec<String> {
    let mut notes = compose::notes(plan);
    notes.extend(dockerfile::notes(plan));
    notes.extend(plan.auterion.iter().flat_map(|auterion| auterion::notes(plan, auterion)));
    notes
}

/// A value as a YAML document.
pub fn yaml(value: &Value) -> Result<String> {
    // A folded path is still the same path, but nobody recognises it.
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    serde_saphyr::to_string_with_options(value, options).context("failed to write YAML")
}

/// Merges `over` into `under` as compose merges files: mappings merge, all else replaces.
fn merge(under: &mut Map<String, Value>, over: &Map<String, Value>) {
    for (key, value) in over {
        match (under.get_mut(key), value) {
            (Some(Value::Object(under)), Value::Object(over)) => merge(under, over),
            _ => drop(under.insert(key.clone(), value.clone())),
        }
    }
}
