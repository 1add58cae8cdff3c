//! One container that is to be started.

use anyhow::{Result, bail};

use super::compose;
use crate::app::{Container, Port, Service};
use crate::plan::Plan;

/// One container that is to be started.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Launch {
    /// Its name.
    pub name: String,
    /// Names by which others find it.
    pub aliases: Vec<String>,
    /// Services that have to be healthy before it starts.
    pub after: Vec<String>,
    /// How it runs; files of variables and secrets are among its variables.
    pub container: Container,
    /// Ports that get a free one of this machine.
    pub free: Vec<Port>,
    /// Whether it is what a service needs, and no service.
    pub dependency: bool,
}

impl Launch {
    /// A service of a plan, and notes on what of its `compose = { … }` means nothing here.
    ///
    /// # Errors
    /// When a secret is not set, a file of variables cannot be read, or its `compose = { … }` cannot be made out.
    pub fn of_service(plan: &Plan, service: &Service) -> Result<(Self, Vec<String>)> {
        let is_there = |name: &&String| plan.services.iter().any(|other| other.name.as_str() == name.as_str());
        let name = service.name.to_string();
        let launch = Self {
            aliases: vec![name.clone()],
            after: service.depends_on.iter().filter(is_there).cloned().collect(),
            container: filled(service.described(), "service", &name)?,
            name,
            ..Self::default()
        };
        compose::over(launch, &service.compose, &plan.workspace)
    }
}

/// The container with what its files of variables say, and the secrets that this process was told.
///
/// # Errors
/// When a secret is not set, or a file cannot be read.
pub fn filled(container: Container, what: &str, name: &str) -> Result<Container> {
    let mut environment = container.environment;
    for (variable, at) in &container.secrets {
        let Ok(value) = std::env::var(variable) else {
            bail!(
                "the variable `{variable}` of the {what} `{name}` is not set: it is the key `{}` of the secret `{}`\nhelp: set it before the command: `{variable}=… cargo appbundle …`",
                at.key,
                at.secret
            );
        };
        environment.insert(variable.clone(), value);
    }
    for file in &container.env_files {
        for (variable, value) in compose::read_environment(file)? {
            environment.entry(variable).or_insert(value);
        }
    }
    Ok(Container { environment, env_files: Vec::new(), secrets: Default::default(), ..container })
}
