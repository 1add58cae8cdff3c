//! Generated files: the plan as text that other tools read.

mod auterion;
mod compose;
mod container;
mod dev;
mod dockerfile;
mod document;
mod instructions;
mod kubernetes;
mod parts;
mod stack;
mod swarm;

use std::path::Path;

use anyhow::Result;

use crate::app::{Destination, GeneratedFile};
use crate::plan::Plan;

pub use auterion::{app_file, metadata, payload_app_file, payload_compose};
pub use dockerfile::{BASE_ARG, Context, Copied, contexts};
pub use document::{Piece, Rendered, yaml};
pub use stack::{Others, StackFile, controller_notes, self_signed, stack_file, stack_requests, waves};
pub use swarm::literal;

/// What is written beside the bundle: `app.yml`, and `auterion-app.yml` where that format is asked for.
pub fn files(plan: &Plan) -> Result<Rendered> {
    let mut all = compose::app_yml(plan)?;
    all.notes.extend(dockerfile::notes(plan));
    if let Some(auterion) = &plan.auterion {
        let Piece { map, notes } = app_file(plan, auterion);
        all.files.push(GeneratedFile { path: "auterion-app.yml".into(), contents: yaml(&map.into())? });
        all.notes.extend(notes);
    }
    Ok(all)
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

/// The files of one destination, in a folder of its name, and notes on what it cannot express.
pub fn deployment(plan: &Plan, destination: Destination, outside: Outside<'_>) -> Result<Rendered> {
    let Rendered { files, mut notes } = match destination {
        Destination::Compose => compose::files(plan, outside.image_prefix)?,
        Destination::Swarm => swarm::files(plan, outside.image_prefix)?,
        Destination::Stacks => stack::files(plan, outside.others)?,
        Destination::Dev => dev::files(plan, outside.binaries)?,
        Destination::Kubernetes => kubernetes::files(plan, outside.image_prefix)?,
        Destination::Auterionos => auterion::files(plan)?,
    };
    if !matches!(destination, Destination::Auterionos | Destination::Stacks) {
        notes.iter_mut().for_each(|note| *note = format!("{destination}: {note}"));
    }
    if destination != Destination::Kubernetes {
        let sized = plan.volumes.iter().filter(|(_, wanted)| wanted.size.is_some()).map(|(name, _)| name);
        notes.extend(
            sized.map(|name| format!("{destination}: the size of the volume `{name}` is left out: volumes have no size there")),
        );
    }
    Ok(Rendered { files, notes })
}
