//! Writes bundles to disk.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};

use crate::app::Image;
use crate::bundle::{self, Document, Payload};
use crate::fs::Pending;
use crate::mender::Artifact;
use crate::plan::{Format, Plan};
use crate::render;
use crate::segment::Cache;
use crate::shell::{self, Shell};

/// Writes the bundle of one format. `begun` waits for the hash that [`bundle::begin_sum`] started.
///
/// # Errors
/// When a cached layer is damaged, or the file cannot be written.
pub fn bundle(
    plan: &Plan,
    format: Format,
    images: &[Image],
    documents: &[Document],
    cache: &Cache,
    begun: impl FnOnce() + Send,
    shell: &Shell,
) -> Result<()> {
    let path = plan.bundle_path(format);
    let mut pending = Pending::new(&path)?;
    let mut seen = BTreeSet::new();
    let layers = images.iter().flat_map(|image| &image.layers).filter(|layer| seen.insert(layer.key));
    let progress = shell.progress("Writing", layers.map(|layer| layer.compressed).sum());
    let advance = |bytes| progress.advance(bytes);
    let part = bundle::Part { images, cache, documents };
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
                documents: documents.to_vec(),
            };
            bundle::write_auterionos(&mut pending, &artifact, payload, images, cache, begun, &advance)
        }
        Format::Docker => {
            bundle::write_layout(&mut pending, bundle::Kind::Docker, &[part], annotations(&[plan]), plan.epoch, &advance)
        }
        Format::Oci => bundle::write_layout(&mut pending, bundle::Kind::Oci, &[part], annotations(&[plan]), plan.epoch, &advance),
    }
    .with_context(|| format!("failed to write `{}`", path.display()))?;
    drop(progress);
    pending.commit()?;
    // Its path goes to stdout.
    shell.status("Bundled", format_args!("{} {} ({}, {})", plan.slug(), plan.version, format.name(), shell::bytes(size)));
    Ok(())
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
