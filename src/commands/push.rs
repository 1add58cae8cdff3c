//! `cargo appbundle push`: the images of bundles, or of the workspace's last build, go to a registry.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, bail};
use serde::Serialize;

use crate::bundle::{self, Outgoing};
use crate::digest::Digest;
use crate::oci;
use crate::pipeline::{Built, Options, Session, Wanted, pulled};
use crate::registry::{Access, Client, Reference, Upload};
use crate::shell::{self, Shell};

/// What `push` is asked.
#[derive(Clone, Debug, Default)]
pub struct PushOptions {
    /// Files; the workspace's last build if there are none.
    pub bundles: Vec<PathBuf>,
    /// `HOST/PATH`: the repositories' names up to the services'.
    pub prefix: String,
    /// Print the result as JSON.
    pub json: bool,
    /// Send nothing, connect to nothing.
    pub offline: bool,
}

/// One image that is there. Keys are only ever added.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Pushed {
    repository: String,
    tag: String,
    digest: Digest,
    platform: String,
}

/// Pushes; prints `REPOSITORY@DIGEST` of each image to stdout.
///
/// # Errors
/// When there is nothing to push, or a registry does not take it. What was pushed stays there: the next run goes on.
pub fn run(push: &PushOptions, options: &Options, shell: &Shell) -> Result<()> {
    let prefix = push.prefix.trim_end_matches('/');
    let scratch = tempfile::tempdir().context("failed to make a temporary folder")?;
    let (client, outgoing) = if push.bundles.is_empty() {
        let (access, outgoing) = last_build(options, scratch.path(), shell)?;
        (pulled::client(&access, options, shell)?, outgoing)
    } else {
        let access = Access { insecure: options.request.insecure_registries.clone(), ..Access::default() };
        let client = Client::new(access, push.offline, |text| shell.warning(text));
        (client, of_bundles(&push.bundles, scratch.path(), shell)?)
    };
    let mut places: Vec<(Reference, &Outgoing)> = Vec::new();
    for image in &outgoing {
        let text = format!("{prefix}/{}:{}", image.name, image.tag);
        let reference: Reference = text.parse().map_err(anyhow::Error::msg)?;
        if places.iter().any(|(other, before)| *other == reference && before.platform == image.platform) {
            bail!("two images would become `{reference}`");
        }
        places.push((reference, image));
    }
    let mut services: BTreeMap<&Reference, Vec<&Outgoing>> = BTreeMap::new();
    for (reference, image) in &places {
        services.entry(reference).or_default().push(image);
    }
    let services: Vec<(&Reference, Vec<&Outgoing>, Vec<Manifest>)> = services
        .into_iter()
        .map(|(reference, platforms)| manifests(reference, &platforms).map(|manifests| (reference, platforms, manifests)))
        .collect::<Result<_>>()?;
    let tops: Vec<(&Reference, Digest)> = services.iter().map(|(to, _, manifests)| (*to, top(manifests))).collect();
    let there = client.manifests_there(&tops)?;
    let is_there = |reference: &Reference| there.iter().any(|at| tops[*at].0 == reference);
    let (whole, missing): (Vec<_>, Vec<_>) = places.iter().partition(|(reference, _)| is_there(reference));
    let sent = blobs(&client, &missing, &whole, shell)?;
    let mut pushed = Vec::new();
    for (at, (reference, platforms, manifests)) in services.iter().enumerate() {
        let digest = top(manifests);
        if there.contains(&at) {
            shell.status("Fresh", format_args!("{reference}@{digest}"));
        } else {
            for manifest in manifests {
                client.push_manifest(&manifest.to, &manifest.media_type, &manifest.bytes)?;
            }
            shell.status("Pushed", format_args!("{reference}@{digest}"));
        }
        pushed.push(Pushed {
            repository: format!("{}/{}", reference.registry, reference.repository),
            tag: platforms[0].tag.clone(),
            digest,
            platform: platforms.iter().map(|image| image.platform.as_str()).collect::<Vec<_>>().join(","),
        });
    }
    shell.status("Sent", format_args!("{} of layers and configs", shell::bytes(sent)));
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

/// A manifest or index, and what is to lead to it.
struct Manifest {
    to: Reference,
    media_type: String,
    bytes: Vec<u8>,
}

/// The manifest of a service's only platform, or those of all and, last, an index of them.
fn manifests(to: &Reference, platforms: &[&Outgoing]) -> Result<Vec<Manifest>> {
    let of =
        |to: Reference, image: &Outgoing| Manifest { to, media_type: image.media_type.clone(), bytes: image.manifest.clone() };
    if let [only] = platforms {
        return Ok(vec![of(to.clone(), only)]);
    }
    let (mut all, mut descriptors) = (Vec::new(), Vec::new());
    for image in platforms {
        let platform = image.platform.parse().map_err(anyhow::Error::msg)?;
        let descriptor = bundle::descriptor(&image.media_type, &image.manifest, Some(platform));
        all.push(of(to.at(descriptor.digest), image));
        descriptors.push(descriptor);
    }
    let bytes = serde_json::to_vec(&bundle::index(descriptors))?;
    all.push(Manifest { to: to.clone(), media_type: oci::INDEX.into(), bytes });
    Ok(all)
}

/// What the tag leads to.
fn top(manifests: &[Manifest]) -> Digest {
    Digest::of(manifests.last().map_or(&[][..], |last| &last.bytes))
}

/// Each blob goes to one repository first; the other repositories then take it from there, or from those that are `whole` already.
/// Gives the bytes that were sent.
fn blobs(
    client: &Client<'_>,
    places: &[&(Reference, &Outgoing)],
    whole: &[&(Reference, &Outgoing)],
    shell: &Shell,
) -> Result<u64> {
    let mut first: BTreeMap<Digest, &Reference> = BTreeMap::new();
    for (reference, image) in whole {
        first.extend(image.blobs.iter().map(|blob| (blob.descriptor.digest, reference)));
    }
    let (mut fresh, mut shared) = (Vec::new(), Vec::new());
    for (reference, image) in places {
        let mut own = std::collections::BTreeSet::new();
        for blob in image.blobs.iter().filter(|blob| own.insert(blob.descriptor.digest)) {
            let before = first.insert(blob.descriptor.digest, reference);
            match before {
                None => fresh.push((reference, blob, image.mount.as_ref().filter(|from| from.registry == reference.registry))),
                Some(other) => {
                    first.insert(blob.descriptor.digest, other);
                    shared.push((reference, blob, Some(other)));
                }
            }
        }
    }
    let total = fresh.iter().chain(&shared).map(|(_, blob, _)| blob.descriptor.size).sum();
    let progress = shell.progress("Pushing", total);
    let advance: crate::registry::Advance = Arc::new(progress.handle());
    let sent = AtomicU64::new(0);
    for wave in [fresh, shared] {
        let opens: Vec<_> = wave.iter().map(|(_, blob, _)| || blob.source.open()).collect();
        let uploads: Vec<Upload<'_>> = wave
            .iter()
            .zip(&opens)
            .map(|((to, blob, from), open)| Upload {
                blob: &blob.descriptor,
                to,
                mount: from.map(|from| from.repository.as_str()),
                open,
            })
            .collect();
        client.push_blobs(&uploads, &sent, &advance)?;
    }
    Ok(sent.load(Ordering::Relaxed))
}
