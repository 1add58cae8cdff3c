//! What is started, as the engine is told of it.

use super::launch::{Ask, Launch};
use crate::app::{Port, VolumeSource};
use crate::engine::{ContainerSpec, Engine, Network, Published};

/// The container of a launch of the app `app`, in the network `network`.
pub fn container(launch: &Launch, engine: &Engine, app: &str, network: &str) -> ContainerSpec {
    let mut published: Vec<Published> = Vec::new();
    for port in launch.ports.iter().filter(|port| port.host.is_some()) {
        let address = port.host.as_deref().and_then(|host| host.rsplit_once(':')).map(|(address, _)| address.to_owned());
        published.push(Published { port: port.exposed(), address: address.unwrap_or_default(), at: port.host_number() });
    }
    // The check comes from outside the container: an image need not have a program that asks.
    let asked = launch.check.iter().filter_map(|check| match &check.ask {
        Ask::Http(_, port) | Ask::Port(port) => Some(format!("{port}/tcp")),
        Ask::Command(_) => None,
    });
    let near = engine.endpoint().host() == "127.0.0.1";
    for port in launch.free.iter().map(Port::exposed).chain(asked) {
        if !published.iter().any(|other| other.port == port) {
            published.push(Published { port, address: if near { "127.0.0.1".into() } else { String::new() }, at: None });
        }
    }
    let place = match launch.network_mode.as_deref() {
        None | Some("bridge" | "default") => Network::Named(network.to_owned(), launch.aliases.clone()),
        Some(mode) => Network::Mode(mode.to_owned()),
    };
    if matches!(place, Network::Mode(_)) {
        published.clear();
    }
    let binds = launch.volumes.iter().map(|volume| {
        let source = match &volume.source {
            VolumeSource::Named(name) => format!("{}_{name}", app),
            VolumeSource::Host(path) => path.clone(),
        };
        format!("{source}:{}{}", volume.target, if volume.read_only { ":ro" } else { "" })
    });
    ContainerSpec {
        name: format!("{}-{}", network, launch.name),
        image: launch.image.clone(),
        platform: None,
        entrypoint: launch.entrypoint.clone(),
        command: launch.command.clone(),
        environment: launch.environment.iter().map(|(name, value)| format!("{name}={value}")).collect(),
        user: launch.user.clone(),
        workdir: launch.workdir.clone(),
        labels: launch.labels.clone(),
        published,
        binds: binds.collect(),
        devices: launch.devices.clone(),
        privileged: launch.privileged,
        network: place,
    }
}
