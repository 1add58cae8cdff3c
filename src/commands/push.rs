//! `cargo appbundle push`: pushes the images of bundles, or of the last build, to a registry.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::bundle::{self, Outgoing};
use crate::pipeline::{self, Built, Options, Session, Wanted, pulled};
use crate::registry::{Access, Client};
use crate::shell::Shell;

/// Options of `push`.
#[derive(Clone, Debug, Default)]
pub struct PushOptions {
    /// Bundles; if empty, the last build of the workspace.
    pub bundles: Vec<PathBuf>,
    /// Repository prefix, `HOST/PATH`.
    pub prefix: String,
    /// Print the result as JSON.
    pub json: bool,
    /// Send nothing, connect to nothing.
    pub offline: bool,
}

/// Pushes the images and prints `REPOSITORY@DIGEST` of each to stdout.
///
/// # Errors
/// When there is nothing to push, or the registry rejects it. Pushed blobs stay in the registry, and the next run continues.
pub fn run(push: &PushOptions, options: &Options, shell: &Shell) -> Result<()> {
    let scratch = crate::fs::scratch()?;
    let (client, outgoing) = if push.bundles.is_empty() {
        let (access, outgoing) = last_build(options, scratch.path(), shell)?;
        (pulled::client(&access, options, shell)?, outgoing)
    } else {
        let access = Access { insecure: options.request.insecure_registries.clone(), ..Access::default() };
        let client = Client::new(access, push.offline, |text| shell.warning(text));
        (client, of_bundles(&push.bundles, scratch.path(), shell)?)
    };
    let pushed = pipeline::push(&client, push.prefix.trim_end_matches('/'), &outgoing, shell)?;
    if let Some(signer) = &options.signer {
        pipeline::attest(&client, &pushed, signer, shell)?;
    }
    if push.json && !shell.is_json() {
        return shell.document(&pushed);
    }
    for image in &pushed {
        shell.result("appbundle-image", image, format_args!("{}@{}", image.repository, image.digest));
    }
    Ok(())
}

/// The images of the last build, and how registries may be reached.
#[cfg_attr(not(feature = "engine"), expect(unused_variables, reason = "`scratch` is for images that an engine makes"))]
fn last_build(options: &Options, scratch: &Path, shell: &Shell) -> Result<(Access, Vec<Outgoing>)> {
    if let Some(wanted) = Wanted::remembered(options) {
        let outgoing = Built::load(&wanted)?.outgoing(&wanted.cache)?;
        return Ok((wanted.registries, outgoing));
    }
    let sessions = Session::of_targets(options, shell)?;
    let mut all = Vec::new();
    for Session { plan, .. } in &sessions {
        let wanted = Wanted::by(plan);
        all.extend(Built::load(&wanted)?.outgoing(&wanted.cache)?);
        #[cfg(feature = "engine")]
        all.extend(crate::pipeline::dockerfiles::outgoing(plan, &scratch.join(&plan.target.triple), shell)?);
    }
    let first = sessions.into_iter().next().context("there is no target")?;
    Ok((first.plan.registries, all))
}

fn of_bundles(bundles: &[PathBuf], scratch: &Path, shell: &Shell) -> Result<Vec<Outgoing>> {
    let mut all = Vec::new();
    for (at, path) in bundles.iter().enumerate() {
        shell.status("Reading", path.display());
        let folder = scratch.join(at.to_string());
        all.extend(bundle::outgoing(path, &folder).with_context(|| format!("failed to read `{}`", path.display()))?);
    }
    Ok(all)
}
