//! The config of a finished image: the same that `docker build` makes of the generated Dockerfile.

use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};

use crate::app::{Base, Image, LayerOf, Unit};
use crate::digest::Digest;
use crate::oci::{History, ImageConfig, RootFs};
use crate::plan::{Layout, Plan, PlannedImage};
use crate::segment::Segment;

/// A layer above the base's.
pub struct Own<'a> {
    /// The layer.
    pub segment: &'a Segment,
    /// What it holds.
    pub what: What,
    /// The services it is for.
    pub units: Vec<Unit<'a>>,
}

/// What a layer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Files.
    Files,
    /// Folders that are empty in the image.
    Folders,
    /// An executable.
    Executable,
}

impl Own<'_> {
    /// What the image's history says of it.
    fn told(&self, layout: Layout) -> LayerOf {
        let what = match (self.what, self.units.first()) {
            (What::Executable, Some(unit)) => format!("executable {} {}", unit.package.bin, unit.binary.digest),
            (What::Folders, _) => "folders".to_owned(),
            (What::Files | What::Executable, _) => "files".to_owned(),
        };
        let services = match layout {
            Layout::ImagePerService => Vec::new(),
            Layout::MultiBinary => self.units.iter().map(|unit| unit.service.name.to_string()).collect(),
        };
        LayerOf { what, services }
    }
}

/// An image that others made: its layers and its configuration, byte by byte, under the name that it has in the app.
///
/// # Errors
/// When it is no image.
pub fn upstream(plan: &Plan, image: &PlannedImage<'_>, base: &Base) -> Result<Image> {
    let config_bytes = base.written.clone().with_context(|| format!("`{}` is not an image", base.choice))?.into_bytes();
    Ok(Image {
        service: image.name.to_owned(),
        reference: image.reference.clone(),
        platform: plan.target.platform.clone(),
        config: serde_json::from_slice(&config_bytes).context("its configuration is not one of an image")?,
        id: Digest::of(&config_bytes),
        config_bytes,
        layers: base.layers.clone(),
    })
}

/// Joins the layers of a base and an image's own, lowest first, to the image.
///
/// # Errors
/// When the config cannot be written as JSON.
pub fn image(plan: &Plan, image: &PlannedImage<'_>, base: &Base, own: &[Own<'_>]) -> Result<Image> {
    let created = humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + Duration::from_secs(plan.epoch)).to_string();
    let own_history = own.iter().map(|layer| History {
        created: Some(created.clone()),
        created_by: Some(layer.told(plan.layout).to_string()),
        ..History::default()
    });
    let layers: Vec<Segment> = base.layers.iter().chain(own.iter().map(|own| own.segment)).cloned().collect();
    let platform = plan.target.platform.clone();
    let config = ImageConfig {
        created: Some(created.clone()),
        architecture: platform.architecture.clone(),
        variant: platform.variant.clone(),
        os: platform.os.clone(),
        config: image.config.over(&base.config),
        rootfs: RootFs { diff_ids: layers.iter().map(|layer| layer.diff_id).collect(), ..RootFs::default() },
        history: base.history.iter().cloned().chain(own_history).collect(),
    };
    let config_bytes = serde_json::to_vec(&config)?;
    let id = Digest::of(&config_bytes);
    let reference = image.reference.clone();
    Ok(Image { service: image.name.to_owned(), reference, platform, config, config_bytes, id, layers })
}
