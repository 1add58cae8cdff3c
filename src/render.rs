//! Generated files: renders the plan as text for other tools.

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
use crate::diagnostic::Code;
use crate::plan::{Format, Plan};

pub use auterion::{app_file, metadata, payload_app_file, payload_compose};
pub use dockerfile::{BASE_ARG, Context, Copied, contexts};
pub use document::{Piece, Rendered, yaml};
pub use stack::{Others, StackFile, controller_notes, self_signed, stack_file, stack_requests, waves};
pub use swarm::literal;

/// The files written next to the bundle: `app.yml`, and `auterion-app.yml` if that format is requested. What `app.yml` and the
/// Dockerfiles leave out is noted where images are written that they are for.
pub fn files(plan: &Plan) -> Result<Rendered> {
    let mut all = compose::app_yml(plan)?;
    all.notes.extend(dockerfile::notes(plan));
    let for_device = plan.auterion.as_ref().is_some_and(|auterion| auterion.api_version == 1);
    if !for_device && plan.index.is_none() && plan.formats == [Format::Auterionos] {
        all.notes.clear();
    }
    if let Some(auterion) = &plan.auterion {
        let Piece { map, notes } = app_file(plan, auterion);
        all.files.push(GeneratedFile { path: "auterion-app.yml".into(), contents: yaml(&map.into())? });
        all.notes.extend(notes);
    }
    Ok(all)
}

/// Settings of a deployment that are not part of the plan.
#[derive(Clone, Copy, Debug)]
pub struct Outside<'a> {
    /// The folder to which Cargo writes the executables.
    pub binaries: &'a Path,
    /// Repository prefix of the images, `HOST/PATH`.
    pub repo: Option<&'a str>,
    /// The apps of other workspaces that stack controllers deploy.
    pub others: &'a Others,
}

/// Renders the files of one destination, in a folder named after it, with notes on what the destination cannot express.
pub fn deployment(plan: &Plan, destination: Destination, outside: Outside<'_>) -> Result<Rendered> {
    let Rendered { files, mut notes } = match destination {
        Destination::Compose => compose::files(plan, outside.repo)?,
        Destination::Swarm => swarm::files(plan, outside.repo)?,
        Destination::Stacks => stack::files(plan, outside.others)?,
        Destination::Dev => dev::files(plan, outside.binaries)?,
        Destination::Kubernetes => kubernetes::files(plan, outside.repo)?,
        Destination::Auterionos => auterion::files(plan)?,
    };
    if !matches!(destination, Destination::Auterionos | Destination::Stacks) {
        notes = notes.into_iter().map(|note| note.of(destination)).collect();
    }
    if destination != Destination::Kubernetes {
        let sized = plan.volumes.iter().filter(|(_, wanted)| wanted.size.is_some()).map(|(name, _)| name);
        notes.extend(sized.map(|name| {
            let text = format!("{destination}: the size of the volume `{name}` is left out: only Kubernetes uses it");
            Code::VolumeSize.note(text)
        }));
    }
    Ok(Rendered { files, notes })
}
