//! Has an engine pull images from a registry.

use anyhow::Result;
use bollard::auth::DockerCredentials;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::StreamExt as _;

use super::Engine;

/// Credentials for a registry, in the form that engines take.
#[derive(Clone, Default)]
pub struct Login {
    /// The registry's name.
    pub registry: String,
    /// User and password.
    pub basic: Option<(String, String)>,
    /// The identity token of an OAuth2 login.
    pub identity: Option<String>,
}

impl Engine {
    /// Has the engine pull an image; a name without a tag means `:latest`. `tell` gets each progress step.
    ///
    /// # Errors
    /// When the registry lacks the image, rejects the credentials, or cannot be reached.
    pub fn pull(&self, name: &str, login: Option<Login>, tell: &mut dyn FnMut(&str)) -> Result<()> {
        let has_tag = name.contains('@') || name.rsplit('/').next().is_some_and(|last| last.contains(':'));
        let options = CreateImageOptionsBuilder::new().from_image(name);
        let options = if has_tag { options } else { options.tag("latest") }.build();
        let credentials = login.map(|login| {
            let (username, password) = login.basic.unzip();
            let (serveraddress, identitytoken) = (Some(login.registry), login.identity);
            DockerCredentials { username, password, serveraddress, identitytoken, ..DockerCredentials::default() }
        });
        let doing = format!("pulling the image `{name}`");
        self.runtime.block_on(async {
            let mut steps = std::pin::pin!(self.docker.create_image(Some(options), None, credentials));
            while let Some(step) = steps.next().await {
                let step = step.map_err(|error| self.told(error, &doing))?;
                if let Some(why) = step.error_detail.and_then(|detail| detail.message) {
                    anyhow::bail!("the engine failed while {doing}: {}", why.trim());
                }
                if let Some(status) = step.status {
                    tell(&status);
                }
            }
            Ok(())
        })
    }
}
