//! The images of the last build: remembered for whoever wants them in another form.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use super::session::cache_folder;
use crate::app::{BaseChoice, Image, ImageRef};
use crate::bundle::{self, Outgoing};
use crate::digest::Digest;
use crate::oci::Manifest;
use crate::plan::Plan;
use crate::registry::Reference;
use crate::segment::{Cache, Segment};

/// What a build made.
#[derive(Debug, Serialize, Deserialize)]
pub struct Built {
    version: String,
    target: String,
    images: Vec<BuiltImage>,
}

#[derive(Debug, Serialize, Deserialize)]
struct BuiltImage {
    service: String,
    reference: String,
    platform: String,
    config: String,
    manifest: Manifest,
    layers: Vec<Segment>,
    base: Option<String>,
}

const HELP: &str = "help: run `cargo appbundle build`";

impl Built {
    fn path(plan: &Plan) -> PathBuf {
        plan.output.join(".last-images.json")
    }

    /// Remembers what a build made.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(plan: &Plan, images: &[Image]) -> Result<()> {
        let built = |(at, image): (usize, &Image)| -> Result<BuiltImage> {
            let base = match plan.bases.get(at) {
                Some(BaseChoice::Image(reference)) => Some(reference.to_string()),
                _ => None,
            };
            Ok(BuiltImage {
                service: image.service.clone(),
                reference: image.reference.to_string(),
                platform: image.platform.to_string(),
                config: String::from_utf8(image.config_bytes.clone()).context("a config is not text")?,
                manifest: bundle::manifest(image),
                layers: image.layers.clone(),
                base,
            })
        };
        let images = images.iter().enumerate().map(built).collect::<Result<_>>()?;
        let built = Self { version: plan.version.tag.clone(), target: plan.target.triple.clone(), images };
        crate::fs::write(&Self::path(plan), &serde_json::to_vec(&built)?)
    }

    /// What the last build of this version for this target made.
    ///
    /// # Errors
    /// When there was none.
    pub fn load(plan: &Plan) -> Result<Self> {
        let bytes = std::fs::read(Self::path(plan)).ok();
        let built: Option<Self> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let built = built.with_context(|| format!("there is no build in `{}`\n{HELP}", plan.output.display()))?;
        ensure!(
            built.version == plan.version.tag && built.target == plan.target.triple,
            "the last build is version {} for {}, and not {} for {}\n{HELP}",
            built.version,
            built.target,
            plan.version,
            plan.target.triple
        );
        for planned in plan.images() {
            let there = built.images.iter().any(|image| image.service == planned.name);
            ensure!(there, "the last build has no image of `{}`\n{HELP}", planned.name);
        }
        Ok(built)
    }

    /// The images of the plan's services, as they were made.
    ///
    /// # Errors
    /// When what was remembered is damaged.
    pub fn images(self, plan: &Plan) -> Result<Vec<Image>> {
        let image = |image: BuiltImage| -> Result<Image> {
            let config_bytes = image.config.into_bytes();
            Ok(Image {
                reference: ImageRef::parse(&image.reference).map_err(anyhow::Error::msg)?,
                service: image.service,
                platform: plan.target.platform.clone(),
                config: serde_json::from_slice(&config_bytes).context("the last build's images are damaged")?,
                id: Digest::of(&config_bytes),
                config_bytes,
                layers: image.layers,
            })
        };
        let wanted = |image: &BuiltImage| plan.images().iter().any(|planned| planned.name == image.service);
        self.images.into_iter().filter(wanted).map(image).collect()
    }

    /// The images of the plan's services as they are pushed; their layers stand in the cache.
    ///
    /// # Errors
    /// When a layer is no longer there.
    pub fn outgoing(self, plan: &Plan) -> Result<Vec<Outgoing>> {
        let cache = Cache::new(&cache_folder(plan));
        let mut all = Vec::new();
        for image in self.images {
            if !plan.images().iter().any(|planned| planned.name == image.service) {
                continue;
            }
            let gone = || format!("a layer of `{}` is no longer in the cache\n{HELP}", image.service);
            for layer in &image.layers {
                ensure!(cache.get(layer.key).as_ref() == Some(layer), "{}", gone());
            }
            let files: Vec<PathBuf> = image.layers.iter().map(|layer| cache.path(layer)).collect();
            let mount = image.base.as_deref().and_then(|base| base.parse::<Reference>().ok());
            let mut outgoing =
                Outgoing::new(image.service, self.version.clone(), image.platform, image.manifest, image.config, &files)?;
            outgoing.mount = mount;
            all.push(outgoing);
        }
        Ok(all)
    }
}
