//! Names of other services in what a service is told: where to reach them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::app::{Container, Service};
use crate::diagnostic::{Code, Note};

/// A note if a service on the host's network is told to reach others by their names; `over` is its part of `compose-override`.
pub fn unresolved(service: &Service, services: &[Service], over: &Map<String, Value>) -> Option<Note> {
    let mode = over.get("network_mode").and_then(Value::as_str).unwrap_or("host");
    if mode != "host" || over.contains_key("networks") || service.auterion.contains_key("networking") {
        return None;
    }
    let is_other = |name: &str| name != service.name.as_str() && services.iter().any(|other| other.name.as_str() == name);
    let mut named: BTreeMap<String, String> = BTreeMap::new();
    for (place, text) in texts(&service.container) {
        for host in hosts(text).filter(|host| is_other(host) && !is_mapped(host, over)) {
            named.entry(host.to_owned()).or_insert_with(|| place.clone());
        }
    }
    let (name, place) = named.first_key_value()?;
    let addresses: Vec<String> = named.keys().map(|name| format!("\"{name}:127.0.0.1\"")).collect();
    let text = format!(
        "on AuterionOS, {{services}} uses the host's network, where the name `{name}` in {place} does not resolve: set \
         `auterion.compose-override.services.{}.extra_hosts = [{}]`",
        service.name,
        addresses.join(", ")
    );
    Some(Code::NameUnresolved.note_of(&service.name, text))
}

/// What a container is told, each with where.
fn texts(container: &Container) -> impl Iterator<Item = (String, &str)> {
    let variables = container.environment.iter().map(|(name, value)| (format!("`{name}`"), value.as_str()));
    let command = container.command.iter().flatten().map(|word| ("`command`".to_owned(), word.as_str()));
    variables.chain(command).chain(container.args.iter().map(|word| ("`args`".to_owned(), word.as_str())))
}

/// The hosts in a text: those of URLs, and each `HOST:PORT` that stands for itself.
fn hosts(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(|letter: char| letter.is_whitespace() || ",;=\"'".contains(letter));
    parts.filter_map(|part| {
        let (is_url, rest) = part.split_once("://").map_or((false, part), |(_, rest)| (true, rest));
        let authority = rest.split(['/', '?', '#']).next()?;
        let address = authority.rsplit('@').next()?;
        let (host, port) = address.split_once(':').map_or((address, None), |(host, port)| (host, Some(port)));
        let has_port = port.is_some_and(|port| port.parse().is_ok_and(|port: u16| port > 0));
        (if is_url { port.is_none() || has_port } else { has_port && rest == authority }).then_some(host)
    })
}

/// Whether `extra_hosts` has an address for a name, as `NAME:ADDRESS`, `NAME=ADDRESS` or a key.
fn is_mapped(name: &str, over: &Map<String, Value>) -> bool {
    match over.get("extra_hosts") {
        Some(Value::Object(addresses)) => addresses.contains_key(name),
        Some(Value::Array(lines)) => {
            lines.iter().filter_map(|line| line.as_str()?.split([':', '=']).next()).any(|known| known == name)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::hosts;

    #[test]
    fn hosts_of_urls_and_addresses() {
        for (text, found) in [
            ("http://storage:8080/a?b=1", &["storage"][..]),
            ("postgres://user:secret@db/app", &["db"]),
            ("redis://cache", &["cache"]),
            ("storage:8080", &["storage"]),
            ("--upstream=storage:8080,index:9000", &["storage", "index"]),
            ("tcp://broker:1883 mqtt://broker", &["broker", "broker"]),
            ("storage", &[]),
            ("storage:latest", &[]),
            ("storage:8080/path", &[]),
            ("storage:0", &[]),
            ("data:/storage", &[]),
            ("the storage: 80 files", &[]),
            ("info,storage=debug", &[]),
            ("registry/storage:1", &[]),
        ] {
            assert_eq!(hosts(text).collect::<Vec<_>>(), found, "{text}");
        }
    }
}
