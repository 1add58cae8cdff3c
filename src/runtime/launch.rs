//! A container to start.

use crate::app::{Container, Port, Protocol};
use crate::diagnostic::{Code, Note};

/// A container to start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Launch {
    /// The service's name.
    pub name: String,
    /// Names by which other containers find it.
    pub aliases: Vec<String>,
    /// Services that must be healthy before it starts.
    pub after: Vec<String>,
    /// The container; environment files and secrets are already part of its environment.
    pub container: Container,
    /// Ports that are mapped to a free port of this machine.
    pub free: Vec<Port>,
    /// Whether it is a dependency of a service rather than a service.
    pub dependency: bool,
}

impl Launch {
    /// The note that it runs once, if its table or compose file asks for more.
    pub fn replicas_note(&self) -> Option<Note> {
        let text = "`replicas` of {services} is ignored: each service runs once";
        self.container.is_replicated().then(|| Code::ReplicasIgnored.note_of(&self.name, text))
    }

    /// The addresses of its published ports on this machine: `http://127.0.0.1:8080`, or `127.0.0.1:53/udp`.
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
