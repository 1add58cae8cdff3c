//! `cargo appbundle push`: pushes the images of bundles, or of the last build, to a registry.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::bundle::{self, Outgoing};
use crate::diagnostic::Code;
use crate::digest::Digest;
use crate::pipeline::{self, Built, Options, Session, Wanted, pulled};
use crate::registry::{Access, Client};
use crate::shell::Shell;
use crate::trust::sbom::{self, Bill};

/// Options of `push`.
#[derive(Clone, Debug, Default)]
pub struct PushOptions {
    /// Bundles; if empty, the last build of the workspace.
    pub bundles: Vec<PathBuf>,
    /// Repository prefix, `HOST/PATH`.
    pub prefix: String,
    /// Put bills of materials beside the images.
    pub sbom: bool,
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
    let (client, releases) = if push.bundles.is_empty() {
        let (access, releases) = last_build(push, options, scratch.path(), shell)?;
        (pulled::client(&access, options, shell)?, releases)
    } else {
        let access = Access { insecure: options.request.insecure_registries.clone(), ..Access::default() };
        let client = Client::new(access, push.offline, |text| shell.warning(text));
        (client, of_bundles(push, scratch.path(), shell)?)
    };
    let bills = releases.iter().map(Release::bills).collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    let outgoing: Vec<Outgoing> = releases.into_iter().flat_map(|release| release.images).collect();
    let pushed = pipeline::push(&client, push.prefix.trim_end_matches('/'), &outgoing, shell)?;
    pipeline::list(&client, &pushed, &bills, shell)?;
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

/// The images of a bundle, or of the last build for a target.
struct Release {
    images: Vec<Outgoing>,
    /// What they are made of, if that is to be pushed.
    bill: Option<Bill>,
}

impl Release {
    /// The bill of each image as CycloneDX, by the digest of the image's manifest. An image that is of several services has that of
    /// the app.
    fn bills(&self) -> Result<Vec<(Digest, String)>> {
        let Some(bill) = &self.bill else { return Ok(Vec::new()) };
        let of = |image: &Outgoing| {
            let own = bill.service(&image.name);
            Ok((Digest::of(&image.manifest), sbom::cyclonedx(own.as_ref().unwrap_or(bill))?))
        };
        self.images.iter().map(of).collect()
    }
}

/// The images of the last build for each target, and how registries may be reached.
#[cfg_attr(not(feature = "engine"), expect(unused_variables, reason = "`scratch` is for images that an engine makes"))]
fn last_build(push: &PushOptions, options: &Options, scratch: &Path, shell: &Shell) -> Result<(Access, Vec<Release>)> {
    if let Some(wanted) = Wanted::remembered(options) {
        let release = built(push, &wanted)?;
        return Ok((wanted.registries, vec![release]));
    }
    let sessions = Session::of_targets(options, shell)?;
    let mut all = Vec::new();
    for Session { plan, .. } in &sessions {
        #[cfg_attr(not(feature = "engine"), expect(unused_mut, reason = "images that an engine makes are added"))]
        let mut release = built(push, &Wanted::by(plan))?;
        #[cfg(feature = "engine")]
        release.images.extend(crate::pipeline::dockerfiles::outgoing(plan, &scratch.join(&plan.target.triple), shell)?);
        all.push(release);
    }
    let first = sessions.into_iter().next().context("there is no target")?;
    Ok((first.plan.registries, all))
}

fn built(push: &PushOptions, wanted: &Wanted) -> Result<Release> {
    let built = Built::load(wanted)?;
    let bill = if push.sbom { built.bill()? } else { None };
    ensure!(
        bill.is_some() || !push.sbom,
        Code::NoBuild.error(
            "the last build wrote no bill of materials\nhelp: remove `sbom = false` from `[workspace.metadata.appbundle]`, and run `cargo appbundle build`"
        )
    );
    Ok(Release { images: built.outgoing(&wanted.cache)?, bill })
}

fn of_bundles(push: &PushOptions, scratch: &Path, shell: &Shell) -> Result<Vec<Release>> {
    let release = |(at, path): (usize, &PathBuf)| {
        shell.status("Reading", path.display());
        let folder = scratch.join(at.to_string());
        let images = bundle::outgoing(path, &folder).with_context(|| format!("failed to read `{}`", path.display()))?;
        let bill = if push.sbom { Some(super::sbom::of(path, shell)?) } else { None };
        Ok(Release { images, bill })
    };
    push.bundles.iter().enumerate().map(release).collect()
}
