//! The only access to container engines: Docker, and podman through Docker's API.
//!
//! Every function blocks; each [`Engine`] has its own single-threaded runtime.

mod build;
mod container;
mod endpoint;
mod error;
mod found;
mod images;
mod interrupt;
mod load;
mod new_container;
mod owned;
mod pull;
mod request;
mod save;
mod swarm;
mod trace;

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use bollard::Docker;
use tokio::runtime::Runtime;

use crate::diagnostic::Code;

pub use build::BuildSpec;
pub use container::State;
pub use endpoint::Endpoint;
pub use found::FoundContainer;
pub use images::{ImageFacts, chains};
pub use interrupt::{Interrupt, on_signals};
pub use new_container::{Network, NewContainer, Published};
pub use owned::Labelled;
pub use pull::Login;
pub use swarm::{Replica, SavedService, SwarmFacts, SwarmService};

/// The oldest API version with everything needed here: Docker 20.10, podman 3.
const OLDEST: (usize, usize) = (1, 41);

/// How long an engine may take to report its version.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a request may take. Loading and building have no natural limit.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// A connection to an engine that reported its version.
pub struct Engine {
    docker: Docker,
    runtime: Runtime,
    endpoint: Endpoint,
    about: About,
    /// The `help:` text that says what works without an engine.
    help: String,
}

/// Name and version of an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// `Docker` or `Podman`.
    pub name: &'static str,
    /// Its version.
    pub version: String,
    /// The API version used with it.
    pub api: String,
    /// Its platform, such as `linux/amd64`.
    pub platform: String,
}

impl About {
    /// Whether it is podman.
    pub fn is_podman(&self) -> bool {
        self.name == "Podman"
    }
}

impl Engine {
    /// Connects to the first engine that answers. `help` is the help line of the error if none does.
    ///
    /// # Errors
    /// When no engine answers; lists every address that was tried, and why it failed.
    pub fn connect(help: &str) -> Result<Self> {
        let mut tried = Vec::new();
        for endpoint in endpoint::candidates()? {
            match Self::at(&endpoint, help) {
                Ok(engine) => return Ok(engine),
                Err(error) => tried.push((endpoint, error)),
            }
        }
        let listed: String = tried.iter().map(|(endpoint, error)| format!("\n  {endpoint}: {error:#}")).collect();
        let denied = tried.iter().find(|(_, error)| error.root_cause().to_string().contains("permission denied"));
        let help = match denied {
            Some((endpoint, _)) if endpoint.url.contains("docker") => {
                "run `sudo usermod -aG docker $USER` and log in again, to be allowed to use Docker"
            }
            _ => help,
        };
        bail!(Code::EngineUnreachable.error(format!("no container engine answers{listed}\nhelp: {help}")));
    }

    /// Connects to the engine at this endpoint.
    fn at(endpoint: &Endpoint, without: &str) -> Result<Self> {
        endpoint.look()?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().context("failed to start the async runtime")?;
        let docker = endpoint.client(PATIENCE)?;
        let told = |error| match error::is_refused(&error) {
            true => anyhow!("connection refused"),
            false => error::told(error, endpoint, without, "saying its version"),
        };
        let version = runtime.block_on(docker.version()).map_err(told)?;
        let api = version.api_version.unwrap_or_default();
        let number = |text: &str| -> Option<(usize, usize)> {
            let (major, minor) = text.split_once('.')?;
            Some((major.parse().ok()?, minor.parse().ok()?))
        };
        let Some(offered) = number(&api) else { bail!("the server is not a container engine") };
        let components = version.components.unwrap_or_default();
        let is_podman = components.iter().any(|component| component.name.contains("Podman"));
        let name = if is_podman { "Podman" } else { "Docker" };
        let own = version.version.unwrap_or_else(|| "of an unknown version".into());
        if offered < OLDEST {
            bail!(
                "{name} {own} speaks API {api}, which is too old: {}.{} is needed (Docker 20.10 or podman 3)",
                OLDEST.0,
                OLDEST.1
            );
        }
        let docker = runtime.block_on(docker.negotiate_version()).map_err(told)?;
        let spoken = docker.client_version();
        let about = About {
            name,
            version: own,
            api: format!("{}.{}", spoken.major_version, spoken.minor_version),
            platform: format!("{}/{}", version.os.unwrap_or_default(), version.arch.unwrap_or_default()),
        };
        Ok(Self { docker: docker.with_timeout(LONGEST), runtime, endpoint: endpoint.clone(), about, help: without.to_owned() })
    }

    /// A new connection to the same engine, for another thread.
    pub fn again(&self) -> Result<Self> {
        Self::at(&self.endpoint, &self.help)
    }

    /// Its name and version.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// Its address.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Waits for a response. An error says that it happened while `doing`.
    fn wait<T>(&self, doing: &str, answer: impl Future<Output = Result<T, bollard::errors::Error>>) -> Result<T> {
        self.runtime.block_on(answer).map_err(|error| self.told(error, doing))
    }

    /// Turns an API error into one for the user that says it happened while `doing`.
    fn told(&self, error: bollard::errors::Error, doing: &str) -> anyhow::Error {
        error::told(error, &self.endpoint, &self.help, doing)
    }

    /// The error that the engine stopped answering while `doing`.
    fn lost(&self, cause: &str, doing: &str) -> anyhow::Error {
        error::gone(cause, &self.endpoint, &self.help, doing)
    }
}
