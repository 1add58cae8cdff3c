//! Which images of the last build a command means: those of its plan, or those remembered from the last build if no manifest has
//! changed.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::workbench::cache_folder;
use super::{Options, Session};
use crate::compile::CargoSettings;
use crate::fs::Stamp;
use crate::plan::Plan;
use crate::registry::Access;

/// The name of the file that [`Wanted::remember`] writes to the output folder.
const NAME: &str = ".last-plan.json";

/// What a plan says about its images.
#[derive(Serialize, Deserialize)]
pub struct Wanted {
    /// The output folder.
    pub output: PathBuf,
    /// The folder of the layer cache.
    pub cache: PathBuf,
    /// The version as a tag.
    pub version: String,
    /// The target's triple.
    pub target: String,
    /// The names of the images: one for each service, or the app's name if it is one image.
    pub images: Vec<String>,
    /// How registries may be reached.
    pub registries: Access,
}

/// What is remembered of a plan made without selecting anything on the command line.
#[derive(Serialize, Deserialize)]
struct Remembered {
    wanted: Wanted,
    root: PathBuf,
    /// See [`crate::workspace::Workspace::stamps`].
    stamps: Vec<(PathBuf, Stamp)>,
}

impl Wanted {
    /// Takes it from a plan.
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

    /// Saves a plan for [`Wanted::remembered`], if it was made without selecting anything on the command line.
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

    /// What the plan would say, without the cost of asking Cargo. Only if the last build used the same manifests, and nothing is
    /// selected on the command line now.
    pub fn remembered(options: &Options) -> Option<Self> {
        let settings = CargoSettings::read(&options.cargo.config).ok()?;
        if !chooses_nothing(options) || settings.get(&["build", "target-dir"]).is_some() {
            return None;
        }
        // Included configuration files may set more.
        if settings.get(&["include"]).is_some() {
            return None;
        }
        // Cargo names this key's variable differently (Cargo book, "Environment Variables").
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

/// The default output folder.
fn output_below(root: &Path) -> PathBuf {
    root.join("target/appbundle")
}

/// Whether no option was given that changes a plan's images.
fn chooses_nothing(options: &Options) -> bool {
    let (request, cargo) = (&options.request, &options.cargo);
    request.packages.is_empty()
        && request.targets.is_empty()
        && request.version.is_none()
        && request.variant.is_none()
        && request.output.is_none()
        && request.insecure_registries.is_empty()
        && cargo.manifest_path.is_none()
        && cargo.target_dir.is_none()
}
