//! Services as they were, to bring them back after an update that failed.

use anyhow::{Context as _, Result};
use bollard::models::ServiceSpec;
use bollard::query_parameters::{ListServicesOptionsBuilder, TagImageOptionsBuilder, UpdateServiceOptionsBuilder};

use super::only;
use crate::engine::Engine;

/// A service as it was.
pub struct SavedService {
    /// Its full name, `STACK_SERVICE`.
    pub name: String,
    spec: ServiceSpec,
}

impl SavedService {
    /// The name and id of its image, if its containers have the label `label` with that id.
    fn image(&self, label: &str) -> Option<(String, String)> {
        let container = self.spec.task_template.as_ref()?.container_spec.as_ref()?;
        Some((container.image.clone()?, container.labels.as_ref()?.get(label)?.clone()))
    }
}

impl Engine {
    /// The services of a stack as they are now, by name.
    pub fn saved(&self, stack: &str) -> Result<Vec<SavedService>> {
        let options = ListServicesOptionsBuilder::new().filters(&only(stack)).build();
        let services = self.wait(&format!("inspecting the stack `{stack}`"), self.docker.list_services(Some(options)))?;
        let saved = services.into_iter().filter_map(|service| {
            let spec = service.spec?;
            Some(SavedService { name: spec.name.clone()?, spec })
        });
        let mut saved: Vec<SavedService> = saved.collect();
        saved.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(saved)
    }

    /// Makes a service what it was; returns whether it differed. Its image gets its name back, if `label` tells which one it was.
    ///
    /// # Errors
    /// When the swarm rejects it.
    pub fn restore(&self, saved: &SavedService, label: &str) -> Result<bool> {
        let SavedService { name, spec } = saved;
        let doing = format!("rolling back the service `{name}`");
        let now = self.wait(&doing, self.docker.inspect_service(name, None))?;
        if now.spec.as_ref() == Some(spec) {
            return Ok(false);
        }
        if let Some((image, id)) = saved.image(label).filter(|(image, _)| !image.contains('@')) {
            let is_other = self.image(&image)?.is_none_or(|facts| facts.id != id);
            if is_other && self.image(&id)?.is_some() {
                let (repo, tag) = image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).unwrap_or((&image, "latest"));
                let options = TagImageOptionsBuilder::new().repo(repo).tag(tag).build();
                self.wait(&format!("naming the image `{image}`"), self.docker.tag_image(&id, Some(options)))?;
            }
        }
        let version = now.version.and_then(|version| version.index).context("the service has no version")?;
        let options = UpdateServiceOptionsBuilder::new().version(version.try_into().context("its version is too large")?).build();
        self.wait(&doing, self.docker.update_service(name, spec.clone(), options, None))?;
        Ok(true)
    }
}
