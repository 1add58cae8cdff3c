//! One container that is to be started.

use crate::app::{Container, Port, Protocol};

/// One container that is to be started.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Launch {
    /// Its name.
    pub name: String,
    /// Names by which others find it.
    pub aliases: Vec<String>,
    /// Services that have to be healthy before it starts.
    pub after: Vec<String>,
    /// How it runs; files of variables and secrets are among its variables.
    pub container: Container,
    /// Ports that get a free one of this machine.
    pub free: Vec<Port>,
    /// Whether it is what a service needs, and no service.
    pub dependency: bool,
}

impl Launch {
    /// Where its published ports can be reached on this machine: `http://127.0.0.1:8080`, or `127.0.0.1:53/udp`.
    pub fn addresses(&self) -> Vec<String> {
        let published = self.container.ports.iter().filter_map(|port| Some((port.host.as_deref()?, port.protocol)));
        let address = |(host, protocol): (&str, Protocol)| {
            let host = if host.contains(':') { host.to_owned() } else { format!("127.0.0.1:{host}") };
            let host = host.replace("0.0.0.0:", "127.0.0.1:");
            if protocol == Protocol::Tcp { format!("http://{host}") } else { format!("{host}/udp") }
        };
        published.map(address).collect()
    }
}
