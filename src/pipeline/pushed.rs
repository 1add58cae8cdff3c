//! Pushes images to a registry, each blob once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, bail};
use serde::Serialize;

use crate::bundle::{self, Outgoing};
use crate::digest::Digest;
use crate::oci::{self, Descriptor};
use crate::registry::{Client, Reference, Upload};
use crate::shell::{self, Shell};

/// One pushed image. Keys are only ever added, never changed.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Pushed {
    /// The repository, `HOST/PATH`.
    pub repository: String,
    /// The tag.
    pub tag: String,
    /// The digest that the tag names.
    pub digest: Digest,
    /// Its platforms, separated by commas.
    pub platform: String,
    /// The manifests of its platforms, and the index of these if there are several. The digest is that of the last one.
    #[serde(skip)]
    pub manifests: Vec<Descriptor>,
}

/// Pushes images to repositories below `prefix` (`HOST/PATH`), named after the images. Images with the same name and tag for
/// several platforms are joined by an index.
///
/// # Errors
/// When two images would have the same name, or a registry rejects one. What was pushed stays there, and the next run continues.
pub fn push(client: &Client<'_>, prefix: &str, outgoing: &[Outgoing], shell: &Shell) -> Result<Vec<Pushed>> {
    let mut places: Vec<(Reference, &Outgoing)> = Vec::new();
    for image in outgoing {
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
    let sent = blobs(client, &missing, &whole, shell)?;
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
            manifests: manifests.iter().map(|pushed| bundle::descriptor(&pushed.media_type, &pushed.bytes, None)).collect(),
            platform: platforms.iter().map(|image| image.platform.as_str()).collect::<Vec<_>>().join(","),
        });
    }
    shell.status("Sent", shell::bytes(sent));
    Ok(pushed)
}

/// A manifest or index, and the reference that it gets.
struct Manifest {
    to: Reference,
    media_type: String,
    bytes: Vec<u8>,
}

/// The manifest of the only platform, or the manifests of all platforms followed by their index.
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

/// The digest that the tag names.
fn top(manifests: &[Manifest]) -> Digest {
    Digest::of(manifests.last().map_or(&[][..], |last| &last.bytes))
}

/// Sends each blob to one repository; other repositories mount it from there, or from those in `whole`, which already have it.
/// Returns the bytes sent.
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
        let mut own = BTreeSet::new();
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
