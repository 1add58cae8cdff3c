//! Remembers the images of the last build, for `push` and other commands.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::wanted::Wanted;
use crate::app::{BaseChoice, Image, ImageRef};
use crate::bundle::{self, Outgoing};
use crate::diagnostic::Code;
use crate::digest::Digest;
use crate::plan::Plan;
use crate::registry::Reference;
use crate::segment::{Cache, Segment};
use crate::trust::sbom::{self, Bill};

/// The result of a build.
#[derive(Debug, Serialize, Deserialize)]
pub struct Built {
    version: String,
    target: String,
    images: Vec<BuiltImage>,
    /// The bill of materials beside the bundle.
    sbom: Option<PathBuf>,
}

#[derive(Debug, Serialize, Deserialize)]
struct BuiltImage {
    service: String,
    reference: String,
    platform: String,
    config: String,
    layers: Vec<Segment>,
    base: Option<String>,
}

const HELP: &str = "help: run `cargo appbundle build`";

impl Built {
    fn path(output: &Path) -> PathBuf {
        output.join(".last-images.json")
    }

    /// Saves the result of a build.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(plan: &Plan, images: &[Image]) -> Result<()> {
        let planned = plan.images();
        let built = |image: &Image| -> Result<BuiltImage> {
            let base = match planned.iter().find(|planned| planned.name == image.service).map(|planned| planned.base) {
                Some(BaseChoice::Image(reference)) => Some(reference.to_string()),
                _ => None,
            };
            Ok(BuiltImage {
                service: image.service.clone(),
                reference: image.reference.to_string(),
                platform: image.platform.to_string(),
                config: String::from_utf8(image.config_bytes.clone()).context("a config is not UTF-8")?,
                layers: image.layers.clone(),
                base,
            })
        };
        let images = images.iter().map(built).collect::<Result<_>>()?;
        let sbom = plan.sbom.then(|| plan.sbom_path());
        let built = Self { version: plan.version.tag.clone(), target: plan.target.triple.clone(), images, sbom };
        crate::fs::write(&Self::path(&plan.output), &serde_json::to_vec(&built)?)
    }

    /// Whether this version was built for this target.
    pub fn is_there(wanted: &Wanted) -> bool {
        let bytes = std::fs::read(Self::path(&wanted.output)).ok();
        let built: Option<Self> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        built.is_some_and(|built| (&built.version, &built.target) == (&wanted.version, &wanted.target))
    }

    /// Loads the result of the last build of this version for this target, limited to the wanted images.
    ///
    /// # Errors
    /// When there is no such build.
    pub fn load(wanted: &Wanted) -> Result<Self> {
        let bytes = std::fs::read(Self::path(&wanted.output)).ok();
        let built: Option<Self> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let Some(mut built) = built else {
            bail!(Code::NoBuild.error(format!(
                "there is no build in `{}`\n{}",
                wanted.output.display(),
                Self::help_of_several(&wanted.output)
            )));
        };
        let other = || match built.version == wanted.version {
            true => format!("help: select it with `--target {}`", built.target),
            false => HELP.to_owned(),
        };
        ensure!(
            built.version == wanted.version && built.target == wanted.target,
            Code::NoBuild.error(format!(
                "the last build is version {} for {}, not {}for {}\n{}",
                built.version,
                built.target,
                if built.version == wanted.version { String::new() } else { format!("version {} ", wanted.version) },
                wanted.target,
                other()
            ))
        );
        for name in &wanted.images {
            let there = built.images.iter().any(|image| image.service == *name);
            ensure!(there, Code::NoBuild.error(format!("the last build has no image of `{name}`\n{HELP}")));
        }
        built.images.retain(|image| wanted.images.contains(&image.service));
        Ok(built)
    }

    /// The targets that a version was built for: in the output folder, or each in a folder below it.
    pub fn targets(output: &Path, version: &str) -> Vec<String> {
        let below = std::fs::read_dir(output).into_iter().flatten().flatten().map(|entry| entry.path());
        let read = |folder: PathBuf| serde_json::from_slice::<Self>(&std::fs::read(Self::path(&folder)).ok()?).ok();
        let built = std::iter::once(output.to_owned()).chain(below).filter_map(read);
        let mut targets: Vec<String> = built.filter(|built| built.version == version).map(|built| built.target).collect();
        targets.sort();
        targets.dedup();
        targets
    }

    /// The help line: each target of a build for several has a folder below `output`.
    fn help_of_several(output: &Path) -> String {
        let folders = std::fs::read_dir(output).into_iter().flatten().flatten();
        let read = |entry: std::fs::DirEntry| -> Option<String> {
            let bytes = std::fs::read(Self::path(&entry.path())).ok()?;
            serde_json::from_slice(&bytes).ok().map(|built: Self| format!("--target {}", built.target))
        };
        let mut targets: Vec<String> = folders.filter_map(read).collect();
        targets.sort();
        if targets.is_empty() { HELP.to_owned() } else { format!("help: select what was built: `{}`", targets.join(" ")) }
    }

    /// The images as they were built.
    ///
    /// # Errors
    /// When the saved result is damaged.
    pub fn images(self) -> Result<Vec<Image>> {
        self.images.into_iter().map(BuiltImage::resolve).collect()
    }

    /// The bill of materials of the build; `None` if the app's table declines it.
    ///
    /// # Errors
    /// When its file is gone, or no longer what the build wrote.
    pub fn bill(&self) -> Result<Option<Bill>> {
        let read = |path: &PathBuf| {
            let text = std::fs::read(path)
                .map_err(|error| Code::NoBuild.error(format!("failed to read `{}`: {error}\n{HELP}", path.display())))?;
            sbom::parse(&text).with_context(|| format!("failed to read `{}`", path.display()))
        };
        self.sbom.as_ref().map(read).transpose()
    }

    /// The images to push; their layers are in the cache in this folder.
    ///
    /// # Errors
    /// When a layer is no longer in the cache.
    pub fn outgoing(self, cache: &Path) -> Result<Vec<Outgoing>> {
        let cache = Cache::new(cache);
        let mut all = Vec::new();
        for built in self.images {
            for layer in &built.layers {
                let there = cache.get(layer.key).as_ref() == Some(layer);
                ensure!(there, Code::NoBuild.error(format!("a layer of `{}` is no longer in the cache\n{HELP}", built.service)));
            }
            let files: Vec<PathBuf> = built.layers.iter().map(|layer| cache.path(layer)).collect();
            let mount = built.base.as_deref().and_then(|base| base.parse::<Reference>().ok());
            let (platform, config) = (built.platform.clone(), built.config.clone());
            let image = built.resolve()?;
            let manifest = bundle::manifest(&image, &cache)?;
            let outgoing = Outgoing::new(image.service, self.version.clone(), platform, manifest, config, &files)?;
            all.push(Outgoing { mount, ..outgoing });
        }
        Ok(all)
    }
}

impl BuiltImage {
    fn resolve(self) -> Result<Image> {
        let config_bytes = self.config.into_bytes();
        Ok(Image {
            reference: ImageRef::parse(&self.reference).map_err(anyhow::Error::msg)?,
            service: self.service,
            platform: self.platform.parse().map_err(anyhow::Error::msg)?,
            config: serde_json::from_slice(&config_bytes).context("the last build's images are damaged")?,
            id: Digest::of(&config_bytes),
            config_bytes,
            layers: self.layers,
        })
    }
}
