//! Inspects the images of an engine.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use bollard::errors::Error;
use bollard::models::ImageInspect;
use bollard::query_parameters::ListImagesOptionsBuilder;

use super::Engine;
use crate::digest::{Digest, Hasher};

/// An image of an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFacts {
    /// The digest of its config, which is its id.
    pub id: String,
    /// `linux`
    pub os: String,
    /// `arm64`
    pub architecture: String,
    /// Digests of its unpacked layers, lowest first.
    pub layers: Vec<String>,
}

impl ImageFacts {
    fn of(image: ImageInspect) -> Self {
        Self {
            id: image.id.unwrap_or_default(),
            os: image.os.unwrap_or_default(),
            architecture: image.architecture.unwrap_or_default(),
            layers: image.root_fs.and_then(|root| root.layers).unwrap_or_default(),
        }
    }
}

/// For each layer, a digest over it and all layers below. An engine can reuse a layer only on top of the same layers.
pub fn chains<'a>(layers: impl IntoIterator<Item = &'a str>) -> Vec<Digest> {
    let mut chain: Option<Digest> = None;
    let mut all = Vec::new();
    for layer in layers {
        let mut sum = Hasher::default();
        if let Some(below) = chain {
            sum.update(below.to_string().as_bytes());
        }
        sum.update(layer.as_bytes());
        let next = sum.finish();
        all.push(next);
        chain = Some(next);
    }
    all
}

impl Engine {
    /// The image with this name or id, if the engine has it.
    pub fn image(&self, name: &str) -> Result<Option<ImageFacts>> {
        match self.runtime.block_on(self.docker.inspect_image(name)) {
            Ok(image) => Ok(Some(ImageFacts::of(image))),
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
            Err(error) => Err(self.told(error, &format!("inspecting the image `{name}`"))),
        }
    }

    /// Whether it loads archives that omit layers it already has.
    pub fn takes_parts(&self) -> Result<bool> {
        Ok(!self.about().is_podman() && !self.keeps_images_in_containerd()?)
    }

    /// The layer chains of all its images (see [`chains`]).
    pub fn known_chains(&self) -> Result<BTreeSet<Digest>> {
        let options = ListImagesOptionsBuilder::new().all(false).build();
        let images = self.wait("listing images", self.docker.list_images(Some(options)))?;
        let mut known = BTreeSet::new();
        for summary in images {
            // The image may have been removed since it was listed.
            if let Some(image) = self.image(&summary.id)? {
                known.extend(chains(image.layers.iter().map(String::as_str)));
            }
        }
        Ok(known)
    }

    /// Whether it uses Docker's containerd image store (since Docker 25), which only loads complete images.
    fn keeps_images_in_containerd(&self) -> Result<bool> {
        let info = self.wait("reading its storage driver", self.docker.info())?;
        let status = info.driver_status.unwrap_or_default();
        Ok(status.iter().flatten().any(|text| text.contains("containerd.snapshotter")))
    }

    /// Adds a name to an image.
    pub fn tag(&self, image: &str, name: &str) -> Result<()> {
        let (repo, tag) = name.rsplit_once(':').with_context(|| format!("`{name}` has no tag"))?;
        let options = bollard::query_parameters::TagImageOptionsBuilder::new().repo(repo).tag(tag).build();
        self.wait(&format!("tagging the image `{name}`"), self.docker.tag_image(image, Some(options)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_over_others_is_another_chain() {
        let (ab, b) = (chains(["a", "b"]), chains(["b"]));
        assert_eq!(chains(["a"])[0], ab[0]);
        assert_ne!(ab[1], b[0]);
    }
}
