//! Turns a launch into the request that creates its container.

use super::launch::Launch;
use crate::app::{Health, Port};
use crate::engine::{Engine, Network, NewContainer, Published};

/// The request for a launch of the app `app` in the network `network`.
pub fn container<'a>(launch: &'a Launch, engine: &Engine, app: &'a str, network: &str) -> NewContainer<'a> {
    let container = &launch.container;
    let mut published: Vec<Published> = Vec::new();
    for port in container.ports.iter().filter(|port| port.host.is_some()) {
        let address = port.host.as_deref().and_then(|host| host.rsplit_once(':')).map(|(address, _)| address.to_owned());
        published.push(Published { port: port.exposed(), address: address.unwrap_or_default(), at: port.host_number() });
    }
    // The health check runs from outside, because an image need not contain an HTTP client.
    let asked = container.health.iter().filter_map(Health::port).map(|port| format!("{port}/tcp"));
    let near = engine.endpoint().host() == "127.0.0.1";
    for port in launch.free.iter().map(Port::exposed).chain(asked) {
        if !published.iter().any(|other| other.port == port) {
            published.push(Published { port, address: if near { "127.0.0.1".into() } else { String::new() }, at: None });
        }
    }
    let place = match container.network_mode.as_deref() {
        None | Some("bridge" | "default") => Network::Named(network.to_owned(), launch.aliases.clone()),
        Some(mode) => Network::Mode(mode.to_owned()),
    };
    if matches!(place, Network::Mode(_)) {
        published.clear();
    }
    // Process 1 gets no signal that it does not handle. Images of others may insist on being process 1, and podman's init is a
    // package of its own.
    let init = (!launch.dependency && !engine.about().is_podman()).then_some(true);
    NewContainer {
        name: format!("{network}-{}", launch.name),
        container,
        volumes_of: app,
        init: container.confinement.init.or(init),
        platform: None,
        labels: Default::default(),
        published,
        network: place,
    }
}
