//! Several targets: one archive with an image index for each service.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::built::Built;
use super::fresh::LastBuild;
use super::wanted::Wanted;
use super::workbench::cache_folder;
use super::write::{Claims, annotations, beside, commit, release};
use super::{Options, provenance};
use crate::app::Image;
use crate::bundle::{self, Kind, Part};
use crate::digest::Digest;
use crate::fs::Pending;
use crate::plan::{Format, Plan};
use crate::segment::Cache;
use crate::shell::{self, Shell};

/// Writes an OCI archive of all targets' images from the results of their builds, if one is wanted; returns its path.
///
/// # Errors
/// When a target was not built, a cached layer is damaged, or the file cannot be signed or written.
pub fn write(plans: &[&Plan], options: &Options, shell: &Shell) -> Result<Option<PathBuf>> {
    let Some((first, path)) = plans.first().and_then(|plan| Some((*plan, plan.index.as_ref()?))) else { return Ok(None) };
    let mut built: Vec<(Vec<Image>, Cache)> = Vec::new();
    for plan in plans {
        built.push((Built::load(&Wanted::by(plan))?.images()?, Cache::new(&cache_folder(plan))));
    }
    let ids: Vec<String> = built.iter().flat_map(|(images, _)| images).map(|i| format!("{} {}", i.reference, i.id)).collect();
    let provenance = if options.provenance { provenance::of_all(plans, Format::Oci)? } else { None };
    let claims = Claims { signer: options.signer.as_deref(), provenance: provenance.as_ref() };
    let said = serde_json::to_string(&provenance)?;
    let inputs = Digest::of(format!("{} {:?} {:?} {said}", ids.join(" "), first.compression, claims.signer));
    let last_build = path.with_file_name(".last-index.json");
    if LastBuild::load(&last_build).is_some_and(|last| last.is_fresh(inputs)) {
        return Ok(Some(path.clone()));
    }
    let parts: Vec<Part<'_>> = built.iter().map(|(images, cache)| Part { images, cache, documents: &[] }).collect();
    let mut pending = Pending::new(path)?;
    let size = bundle::write_layout(&mut pending, Kind::Oci, &parts, annotations(plans), first.epoch, &|_| ())
        .with_context(|| format!("failed to write `{}`", path.display()))?;
    commit(pending, path, claims, || release(plans, &parts))?;
    LastBuild::save(&last_build, inputs, &[path.clone()].into_iter().chain(beside(path, claims)).collect::<Vec<_>>())?;
    let (name, size) = (first.slug(), shell::bytes(size));
    shell.status("Bundled", format_args!("{name} {} for {} (oci, {size})", first.version, shell::count(plans.len(), "target")));
    Ok(Some(path.clone()))
}
