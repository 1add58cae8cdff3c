//! Services as they were, to bring them back after an update that failed.

use anyhow::{Context as _, Result};
use bollard::query_parameters::TagImageOptionsBuilder;
use hyper::Method;
use serde_json::Value;

use crate::engine::Engine;

/// A service as it was.
pub struct SavedService {
    /// Its full name, `STACK_SERVICE`.
    pub name: String,
    /// The engine's own JSON: bollard's type has no place for a health check under the name that Docker gives it.
    spec: Value,
}

impl SavedService {
    /// The name and id of its image, if its containers have the label `label` with that id.
    fn image(&self, label: &str) -> Option<(String, String)> {
        let container = self.spec.pointer("/TaskTemplate/ContainerSpec")?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Some((text(container.get("Image")?)?, text(container.get("Labels")?.get(label)?)?))
    }
}

impl Engine {
    /// The services of a stack as they are now, by name.
    pub fn saved(&self, stack: &str) -> Result<Vec<SavedService>> {
        let services = self.listed(stack, &format!("inspecting the stack `{stack}`"))?;
        let saved = services.into_iter().filter_map(|mut service| {
            let spec = service.get_mut("Spec")?.take();
            Some(SavedService { name: spec.get("Name")?.as_str()?.to_owned(), spec })
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
        let now = self.json(Method::GET, &format!("/services/{name}"), None, &doing)?;
        if now.get("Spec") == Some(spec) {
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
        let version = now.pointer("/Version/Index").and_then(Value::as_u64).context("the service has no version")?;
        self.json(Method::POST, &format!("/services/{name}/update?version={version}"), Some(spec), &doing)?;
        Ok(true)
    }
}
