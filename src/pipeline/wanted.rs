//! Which images of the last build are meant: by a plan, or remembered from the last build if no manifest has changed.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::workbench::cache_folder;
use super::{Options, Session};
use crate::compile::CargoSettings;
use crate::fs::Stamp;
use crate::plan::Plan;
use crate::registry::Access;

/// The name of the file in the output folder that [`Wanted::remember`] leaves.
const NAME: &str = ".last-plan.json";

/// What a plan says of its images.
#[derive(Serialize, Deserialize)]
pub struct Wanted {
    /// Where builds write.
    pub output: PathBuf,
    /// Where layers are kept.
    pub cache: PathBuf,
    /// The version as a tag.
    pub version: String,
    /// The target's triple.
    pub target: String,
    /// What the images are made of: services, or the app where it is one image.
    pub images: Vec<String>,
    /// How registries may be reached.
    pub registries: Access,
}

/// What is remembered for a command line that chooses nothing.
#[derive(Serialize, Deserialize)]
struct Remembered {
    wanted: Wanted,
    root: PathBuf,
    /// See [`crate::workspace::Workspace::stamps`].
    stamps: Vec<(PathBuf, Stamp)>,
}

impl Wanted {
    /// By a plan.
    pub fn by(plan: &Plan) -> Self {
        Self {
            output: plan.output.clone(),
            cache: cache_folder(plan),
            version: plan.version.tag.clone(),
            target: plan.target.triple.clone(),
            images: plan.images().iter().map(|image| image.name.to_owned()).collect(),
            registries: plan.registries.clone(),
        }
    }

    /// Leaves for [`Wanted::remembered`] what the plan of a command line that chose nothing says.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn remember(session: &Session, options: &Options) -> Result<()> {
        let is_whole = session.plan.stacks.iter().all(|stack| stack.built.is_empty()) && !session.among_others;
        if !(is_whole && chooses_nothing(options) && session.plan.output == output_below(&session.workspace.root)) {
            return Ok(());
        }
        let Some(stamps) = session.workspace.stamps.clone() else { return Ok(()) };
        let remembered = Remembered { wanted: Self::by(&session.plan), root: session.workspace.root.clone(), stamps };
        let bytes = serde_json::to_vec(&remembered)?;
        let path = session.plan.output.join(NAME);
        if std::fs::read(&path).is_ok_and(|there| there == bytes) {
            return Ok(());
        }
        crate::fs::write(&path, &bytes)
    }

    /// What the plan would say, as far as that is certain without asking Cargo, which takes longer than all else where nothing is
    /// to be done: the build before was of the same manifests, and nothing is chosen now.
    pub fn remembered(options: &Options) -> Option<Self> {
        let settings = CargoSettings::read(&options.cargo.config).ok()?;
        if !chooses_nothing(options) || settings.get(&["build", "target-dir"]).is_some() {
            return None;
        }
        // Files that a configuration includes may say more.
        if settings.get(&["include"]).is_some() {
            return None;
        }
        // Cargo's variable for this key has a name of its own (Cargo book, "Environment Variables").
        if std::env::var_os("CARGO_TARGET_DIR").is_some() {
            return None;
        }
        let here = std::env::current_dir().ok()?;
        let manifest = here.ancestors().map(|folder| folder.join("Cargo.toml")).find(|path| path.is_file())?;
        let read = |root: &Path| -> Option<Remembered> {
            let bytes = std::fs::read(output_below(root).join(NAME)).ok()?;
            serde_json::from_slice(&bytes).ok().filter(|remembered: &Remembered| remembered.root == root)
        };
        let remembered = manifest.parent()?.ancestors().find_map(read)?;
        let is_member = remembered.stamps.iter().any(|(path, _)| *path == manifest);
        let is_unchanged = |(path, stamp): &(PathBuf, Stamp)| Stamp::read(path).is_ok_and(|now| now == *stamp);
        (is_member && remembered.stamps.iter().all(is_unchanged)).then_some(remembered.wanted)
    }
}

/// Where builds write unless something else is said.
fn output_below(root: &Path) -> PathBuf {
    root.join("target/appbundle")
}

/// Whether nothing was typed that a plan's images follow.
fn chooses_nothing(options: &Options) -> bool {
    let (request, cargo) = (&options.request, &options.cargo);
    request.packages.is_empty()
        && request.targets.is_empty()
        && request.version.is_none()
        && request.output.is_none()
        && request.insecure_registries.is_empty()
        && cargo.manifest_path.is_none()
        && cargo.target_dir.is_none()
}
