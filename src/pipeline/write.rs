//! Writes bundles to disk.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::bundle::{self, Part, Payload};
use crate::digest::Digest;
use crate::fs::Pending;
use crate::mender::{Artifact, ManifestSigner};
use crate::plan::{Format, Plan};
use crate::render;
use crate::shell::{self, Shell};
use crate::trust::{self, Beside, BundleSigner, Provenance};

/// What is said beside a bundle, and by whom.
#[derive(Clone, Copy, Default)]
pub struct Claims<'a> {
    /// Who signs, if anybody does.
    pub signer: Option<&'a BundleSigner>,
    /// What the bundle is of.
    pub provenance: Option<&'a Provenance>,
}

/// Writes the bundle of one format. `begun` waits for the hash that [`bundle::begin_sum`] started.
///
/// # Errors
/// When a cached layer is damaged, or the file cannot be signed or written.
pub fn bundle(
    plan: &Plan,
    format: Format,
    part: Part<'_>,
    claims: Claims<'_>,
    begun: impl FnOnce() + Send,
    shell: &Shell,
) -> Result<()> {
    let path = plan.bundle_path(format);
    let mut pending = Pending::new(&path)?;
    let mut seen = BTreeSet::new();
    let layers = part.images.iter().flat_map(|image| &image.layers).filter(|layer| seen.insert(layer.key));
    let progress = shell.progress("Writing", layers.map(|layer| layer.compressed).sum());
    let advance = |bytes| progress.advance(bytes);
    let size = match format {
        Format::Auterionos => {
            let auterion = plan.auterion.as_ref().context("the plan has no part for AuterionOS")?;
            let artifact = Artifact {
                name: format!("{}:{}", plan.slug(), plan.version),
                device_types: auterion.device_types.clone(),
                software: plan.slug(),
                version: plan.version.tag.clone(),
                metadata: render::metadata(plan, auterion)?,
                mtime: plan.epoch,
            };
            let payload = Payload {
                slug: plan.slug(),
                version: plan.version.tag.clone(),
                app_file: render::payload_app_file(plan, auterion)?,
                compose: render::payload_compose(plan, auterion)?,
                settings: plan.settings.clone(),
            };
            let signer = claims.signer;
            let sign = |manifest: &[u8]| signer.map_or_else(|| Ok(Vec::new()), |signer| signer.sign(manifest));
            let signer = signer.map(|signer| ManifestSigner { size: signer.public().signature_size(), sign: &sign });
            bundle::write_auterionos(&mut pending, &artifact, payload, part, signer.as_ref(), begun, &advance)
        }
        Format::Docker => {
            bundle::write_layout(&mut pending, bundle::Kind::Docker, &[part], annotations(&[plan]), plan.epoch, &advance)
        }
        Format::Oci => bundle::write_layout(&mut pending, bundle::Kind::Oci, &[part], annotations(&[plan]), plan.epoch, &advance),
    }
    .with_context(|| format!("failed to write `{}`", path.display()))?;
    drop(progress);
    commit(pending, &path, claims, || release(&[plan], &[part]))?;
    // Its path goes to stdout.
    shell.status("Bundled", format_args!("{} {} ({}, {})", plan.slug(), plan.version, format.name(), shell::bytes(size)));
    Ok(())
}

/// Gives a bundle its name, and puts beside it what is said of it. What was said of an earlier bundle goes away.
///
/// # Errors
/// When it cannot be signed or written. The bundle of an earlier build is then unchanged.
pub fn commit(
    pending: Pending,
    path: &Path,
    Claims { signer, provenance }: Claims<'_>,
    release: impl FnOnce() -> Result<trust::AppRelease>,
) -> Result<()> {
    let beside = if signer.is_some() || provenance.is_some() {
        let (sum, release) = (trust::sum(pending.path())?, release()?);
        let statement = provenance.map(|of| anyhow::Ok(of.statement(trust::subjects(path, sum, &release)?)?)).transpose()?;
        match signer {
            Some(signer) => Beside::signed(path, sum, &release, statement.as_ref(), signer)
                .with_context(|| format!("failed to sign `{}`", path.display()))?,
            None => Beside::unsigned(statement.as_ref())?,
        }
    } else {
        Beside::default()
    };
    pending.commit()?;
    beside.write(path)
}

/// The files that [`commit`] puts beside a bundle.
pub fn beside(path: &Path, Claims { signer, provenance }: Claims<'_>) -> Option<PathBuf> {
    match (signer, provenance) {
        (Some(_), _) => Some(trust::envelope_path(path)),
        (None, Some(_)) => Some(trust::provenance_path(path)),
        (None, None) => None,
    }
}

/// What envelopes say of the bundle of an app: the digests of its images' manifests are those in registries.
///
/// # Errors
/// When a cached layer is damaged.
pub fn release(plans: &[&Plan], parts: &[bundle::Part<'_>]) -> Result<trust::AppRelease> {
    let plan = plans.first().context("there is no target")?;
    let mut subjects = Vec::new();
    for part in parts {
        for image in part.images {
            let manifest = serde_json::to_vec(&bundle::manifest(image, part.cache)?)?;
            subjects.push(trust::Subject::new(image.reference.to_string(), Digest::of(manifest)));
        }
    }
    Ok(trust::AppRelease { name: plan.slug(), version: plan.version.to_string(), subjects })
}

/// The annotations of a bundle: its name, version, targets and the tool that made it. `plans` are those of one app, one for each
/// target.
pub fn annotations(plans: &[&Plan]) -> BTreeMap<String, String> {
    let triples: Vec<&str> = plans.iter().map(|plan| plan.target.triple.as_str()).collect();
    let mut all = BTreeMap::from([
        ("io.github.cargo-appbundle.made-by".to_owned(), concat!("cargo-appbundle ", env!("CARGO_PKG_VERSION")).to_owned()),
        ("io.github.cargo-appbundle.target".to_owned(), triples.join(",")),
    ]);
    if let Some(plan) = plans.first() {
        all.insert("org.opencontainers.image.title".to_owned(), plan.slug());
        all.insert("org.opencontainers.image.version".to_owned(), plan.version.written.clone());
    }
    all
}
