//! What went wrong with an engine, in words for the user.

use bollard::errors::Error;

use super::Endpoint;
use crate::diagnostic::Code;

/// An error of the API as one that says what was being done, and whether the engine refused or went away.
pub fn told(error: Error, endpoint: &Endpoint, help: &str, doing: &str) -> anyhow::Error {
    match error {
        Error::DockerResponseServerError { status_code, message } => {
            let text = format!("the engine returned an error while {doing}: {} (status {status_code})", message.trim());
            // In Docker's words, and in podman's.
            let port_taken = ["port is already allocated", "address already in use"].iter().any(|words| message.contains(words));
            if port_taken { Code::PortTaken.error(text).into() } else { anyhow::Error::msg(text) }
        }
        Error::DockerStreamError { error } => anyhow::anyhow!("the engine failed while {doing}: {}", error.trim()),
        Error::RequestTimeoutError => anyhow::anyhow!("the engine at {endpoint} did not answer in time while {doing}"),
        Error::JsonDataError { message, .. } => {
            anyhow::anyhow!("the server at {endpoint} is not a container engine or is broken: {message}")
        }
        error => gone(&chain(&error), endpoint, help, doing),
    }
}

/// An engine that was there and is no longer. `help` is what can be done without one.
pub fn gone(cause: &str, endpoint: &Endpoint, help: &str, doing: &str) -> anyhow::Error {
    let why = format!("the engine at {endpoint} stopped answering while {doing}: {cause}");
    let help = format!("help: look for the cause in its log (`journalctl -u docker`), and {help}");
    Code::EngineUnreachable.error(format!("{why}\n{help}")).into()
}

/// An error with all its causes in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}
