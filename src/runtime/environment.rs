//! The environment of containers, from environment files and secrets.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, bail};

use crate::app::Container;
use crate::diagnostic::Code;

/// Adds the variables of the container's environment files, and its secrets from this process's environment.
///
/// # Errors
/// When a secret is not set, or an environment file cannot be read.
pub fn filled(container: Container, what: &str, name: &str) -> Result<Container> {
    let mut environment = container.environment;
    for (variable, at) in &container.secrets {
        let Ok(value) = std::env::var(variable) else {
            bail!(Code::VariableMissing.error(format!(
                "the variable `{variable}` of the {what} `{name}` is not set; it is the key `{}` of the secret `{}`\nhelp: set it before the command: `{variable}=… cargo appbundle …`",
                at.key,
                at.secret
            )));
        };
        environment.insert(variable.clone(), value);
    }
    for file in &container.env_files {
        for (variable, value) in read_environment(file)? {
            environment.entry(variable).or_insert(value);
        }
    }
    Ok(Container { environment, env_files: Vec::new(), secrets: BTreeMap::new(), ..container })
}

/// Parses an environment file: one `NAME=value` a line.
pub fn read_environment(path: &Path) -> Result<BTreeMap<String, String>> {
    let text = fs_err::read_to_string(path)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once('='));
    let plain = |value: &str| {
        let value = value.trim();
        let quoted = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
        quoted.unwrap_or(value).to_owned()
    };
    Ok(pairs.map(|(name, value)| (name.trim().to_owned(), plain(value))).collect())
}
