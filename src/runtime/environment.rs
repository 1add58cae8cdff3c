//! The environment of containers, from environment files and secrets.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::dotenv;
use super::variables::Variables;
use crate::app::Container;
use crate::diagnostic::Code;

/// Adds the variables of the container's environment files, and its secrets from `variables`.
///
/// # Errors
/// When a secret is not set, or an environment file cannot be read.
pub fn filled(container: Container, what: &str, name: &str, variables: &Variables) -> Result<Container> {
    let mut environment = container.environment;
    for (variable, at) in &container.secrets {
        let Some(value) = variables.get(variable) else {
            bail!(Code::VariableMissing.error(format!(
                "the variable `{variable}` of the {what} `{name}` is not set; it is the key `{}` of the secret `{}`\nhelp: set it in `.env` next to the workspace's `Cargo.toml`, or before the command: `{variable}=… cargo appbundle …`",
                at.key,
                at.secret
            )));
        };
        environment.insert(variable.clone(), value);
    }
    for file in &container.env_files {
        for (variable, value) in read_environment(file, variables)? {
            environment.entry(variable).or_insert(value);
        }
    }
    Ok(Container { environment, env_files: Vec::new(), secrets: BTreeMap::new(), ..container })
}

/// Parses an environment file as compose does.
///
/// # Errors
/// When it cannot be read or parsed.
pub fn read_environment(path: &Path, variables: &Variables) -> Result<BTreeMap<String, String>> {
    let text = fs_err::read_to_string(path)?;
    dotenv::parse(&text, &|name| variables.get(name)).with_context(|| format!("failed to read `{}`", path.display()))
}
