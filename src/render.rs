//! Generated files: the plan as text that other tools read.

mod auterion;
mod compose;
mod dockerfile;
mod parts;
mod stack;
pub mod swarm;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

use crate::app::GeneratedFile;
use crate::plan::Plan;

pub use auterion::{app_file, metadata, payload_app_file, payload_compose};
pub use compose::document_of;
pub use dockerfile::{Context, Copied, build_args, contexts};
pub use stack::{StackFile, notes as stack_notes, stack_file, stack_files, stack_requests, waves};

/// What is written beside the bundle: `app.yml`, and `auterion-app.yml` where that format is asked for.
pub fn files(plan: &Plan) -> Result<Vec<GeneratedFile>> {
    let mut files = vec![GeneratedFile { path: "app.yml".into(), contents: compose::app_yml(plan)? }];
    if let Some(auterion) = &plan.auterion {
        files.push(GeneratedFile { path: "auterion-app.yml".into(), contents: yaml(&app_file(plan, auterion))? });
    }
    Ok(files)
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
    serde_saphyr::to_string(value).context("failed to write YAML")
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
