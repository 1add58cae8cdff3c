//! Images that an engine fetches from a registry by itself.

use anyhow::Result;
use bollard::auth::DockerCredentials;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::StreamExt as _;

use super::Engine;

/// Credentials for a registry, as an engine takes them.
#[derive(Clone, Default)]
pub struct Login {
    /// The registry's name.
    pub registry: String,
    /// User and password.
    pub basic: Option<(String, String)>,
    /// What an OAuth2 login left.
    pub identity: Option<String>,
}

impl Engine {
    /// Has the engine fetch an image; `NAME` alone is `NAME:latest`. `tell` hears what it does.
    ///
    /// # Errors
    /// When the registry does not have it, wants another login, or cannot be reached.
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
