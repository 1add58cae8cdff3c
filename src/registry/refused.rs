//! Answers of registries that are none of those that were hoped for.

use ureq::Body;
use ureq::http::Response;

use crate::diagnostic::Code;

/// Bytes that are read of such an answer.
const LARGEST_ANSWER: u64 = 1 << 20;

/// The error of such an answer, with what the registry says.
pub(super) fn refused(host: &str, mut response: Response<Body>) -> anyhow::Error {
    #[derive(serde::Deserialize)]
    struct Said {
        code: String,
        #[serde(default)]
        message: Option<String>,
    }
    #[derive(serde::Deserialize)]
    struct Errors {
        errors: Vec<Said>,
    }
    let status = response.status();
    let bytes = response.body_mut().with_config().limit(LARGEST_ANSWER).read_to_vec().unwrap_or_default();
    let errors = serde_json::from_slice::<Errors>(&bytes).map(|said| said.errors).unwrap_or_default();
    let said: Vec<String> = errors.into_iter().take(3).map(|e| [e.code, e.message.unwrap_or_default()].join(": ")).collect();
    let said: String = said.join("; ").chars().filter(|c| !c.is_control()).take(500).collect();
    let said = if said.is_empty() { said } else { format!(": {}", said.trim_end_matches(": ")) };
    let help = if matches!(status.as_u16(), 401 | 403) { login_help(host) } else { String::new() };
    let text = format!("`{host}` answered {status}{said}{help}");
    match status.as_u16() {
        401 | 403 => Code::RegistryLogin.error(text).into(),
        404 => Code::RegistryNotFound.error(text).into(),
        _ => anyhow::Error::msg(text),
    }
}

/// The command that logs in to a registry, as the last line of an error.
pub(super) fn login_help(host: &str) -> String {
    format!("\nhelp: run `docker login {}`", if host == "registry-1.docker.io" { "docker.io" } else { host })
}
