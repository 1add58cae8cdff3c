//! Turns errors of the engine's API into errors for the user.

use std::io::ErrorKind::ConnectionRefused;

use bollard::errors::Error;

use super::Endpoint;
use crate::diagnostic::Code;

/// Says what was being done, and whether the engine returned an error or stopped answering.
pub fn told(error: Error, endpoint: &Endpoint, help: &str, doing: &str) -> anyhow::Error {
    match error {
        Error::DockerResponseServerError { status_code, message } => {
            let text = format!("the engine returned an error while {doing}: {} (status {status_code})", message.trim());
            // The first text is Docker's, the second podman's.
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

/// Whether nothing listens at the engine's address.
pub fn is_refused(error: &Error) -> bool {
    let mut next: Option<&dyn std::error::Error> = Some(error);
    while let Some(cause) = next {
        if cause.downcast_ref::<std::io::Error>().is_some_and(|why| why.kind() == ConnectionRefused) {
            return true;
        }
        next = cause.source();
    }
    false
}

/// The error of an engine that stopped answering. `help` says what works without one.
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
