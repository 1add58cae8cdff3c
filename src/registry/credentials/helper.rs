//! `docker-credential-NAME get`: the server's name on stdin, JSON on stdout (docker-credential-helpers).

use std::process::Command;

use anyhow::{Result, bail};
use serde::Deserialize;

use crate::process;
use crate::registry::secret::{Credentials, Secret};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

/// Asks a helper; `None` if it knows nothing.
///
/// # Errors
/// When it cannot be run, fails, or answers nonsense; what it said is not shown, except for stderr.
pub fn ask(name: &str, server: &str) -> Result<Option<Credentials>> {
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
        bail!("`{}` is not a valid name of a credential helper", name.escape_debug());
    }
    let mut command = Command::new(format!("docker-credential-{name}"));
    command.arg("get");
    let output = process::exchange(&mut command, server.as_bytes())?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stdout).to_lowercase();
        if said.contains("credentials not found") {
            return Ok(None);
        }
        bail!("{}", process::failure(&command, output.status, &String::from_utf8_lossy(&output.stderr)));
    }
    let Ok(answer) = serde_json::from_slice::<Answer>(&output.stdout) else {
        bail!("`docker-credential-{name} get` did not return `Username` and `Secret`");
    };
    Ok(match (answer.username.as_str(), answer.secret) {
        (_, secret) if secret.is_empty() => None,
        ("<token>", secret) => Some(Credentials::Identity(Secret::new(secret))),
        (user, secret) => Some(Credentials::Basic(user.to_owned(), Secret::new(secret))),
    })
}
