//! Checks names against the rules of the requested destinations.

use std::collections::BTreeMap;

use super::manifests::{AppSource, ServiceSource};
use crate::app::{Destination, Name, Service, VolumeSource};
use crate::config::{Problems, Step};
use crate::diagnostic::Code;

/// Maximum length in a swarm of a stack's and a service's name, joined by `_`.
const SWARM_NAME: usize = 63;

/// Checks names against the rules of the destinations.
pub fn check(
    destinations: &[Destination],
    app: &AppSource,
    name: &Name,
    sources: &[ServiceSource<'_>],
    services: &BTreeMap<String, Service>,
    problems: &mut Problems,
) {
    if destinations.contains(&Destination::Kubernetes) {
        kubernetes(app, name, sources, services, problems);
    }
    if destinations.contains(&Destination::Swarm) {
        for source in sources {
            let service = source.name();
            let full = format!("{name}_{service}");
            if full.len() > SWARM_NAME {
                let message =
                    format!("in a swarm, the service would be named `{full}`, which has more than {SWARM_NAME} characters");
                source.report(problems).wrong(Code::InvalidName, source.name_place(), message);
            }
        }
    }
}

/// The names of the app and its services, volumes, variables and secrets.
fn kubernetes(
    app: &AppSource,
    name: &Name,
    sources: &[ServiceSource<'_>],
    services: &BTreeMap<String, Service>,
    problems: &mut Problems,
) {
    let mut report = app.report(problems);
    report.take(Code::InvalidName, &[Step::Key("name")], label("the app", name.as_str(), 63));
    for source in sources {
        let Some(service) = services.get(source.name()) else { continue };
        let mut report = source.report(problems);
        // A k8s Service is a name in DNS: it begins with a letter.
        let named = label("a service", service.name.as_str(), 63).and_then(|()| match service.name.as_str() {
            name if name.starts_with(|c: char| c.is_ascii_digit()) => {
                Err(format!("on Kubernetes, a service cannot be named `{name}`: the name must begin with a letter"))
            }
            _ => Ok(()),
        });
        report.take(Code::InvalidName, source.name_place(), named);
        for (at, volume) in service.container.volumes.iter().enumerate() {
            if let VolumeSource::Named(volume) = &volume.source {
                report.take(Code::InvalidName, &[Step::Key("volumes"), Step::Index(at)], label("a volume", volume, 63));
            }
        }
        for variable in service.container.environment.keys() {
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if variable.starts_with(|c: char| c.is_ascii_digit()) || !variable.chars().all(allowed) {
                let message = format!("on Kubernetes, a variable cannot be named `{variable}`");
                report.wrong(Code::InvalidName, &[Step::Key("environment"), Step::Key(variable)], message);
            }
        }
        for (variable, at) in &service.container.secrets {
            let parts_fit = at.secret.len() <= 253 && at.secret.split('.').all(|part| label("a secret", part, 253).is_ok());
            if !parts_fit {
                let message =
                    format!("on Kubernetes, a secret cannot be named `{}`: use lower-case letters, digits and `-`", at.secret);
                report.wrong(Code::InvalidName, &[Step::Key("secrets"), Step::Key(variable), Step::Key("secret")], message);
            }
        }
    }
}

/// A DNS-1123 label: `[a-z0-9]([-a-z0-9]*[a-z0-9])?`.
fn label(what: &str, text: &str, most: usize) -> Result<(), String> {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let allowed = text.chars().all(|c| alphanumeric(c) || c == '-');
    if allowed && text.starts_with(alphanumeric) && text.ends_with(alphanumeric) && text.len() <= most {
        return Ok(());
    }
    Err(format!(
        "on Kubernetes, {what} cannot be named `{text}`: use at most {most} lower-case letters and digits, with `-` between them"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels() {
        assert!(label("x", "camera-control", 63).is_ok() && label("x", &"a".repeat(63), 63).is_ok());
        for bad in ["", "a_b", "A", "-a", "a-", "a.b", &"a".repeat(64)] {
            assert!(label("x", bad, 63).is_err(), "{bad}");
        }
    }
}
