//! Finds ports of this machine that are already in use.

use std::io::ErrorKind::AddrInUse;
use std::net::{TcpListener, UdpSocket};

use anyhow::{Result, bail};

use super::launch::Launch;
use crate::app::{Port, Protocol};
use crate::diagnostic::Code;
use crate::engine::Engine;
use crate::os;

/// Checks that the ports to publish are free, before anything starts. Does nothing if the engine is on another machine.
///
/// # Errors
/// When a port is in use; names the process if it can be found.
pub fn check(engine: &Engine, launches: &[Launch]) -> Result<()> {
    if engine.endpoint().host() != "127.0.0.1" {
        return Ok(());
    }
    let mut taken = Vec::new();
    for launch in launches {
        for port in &launch.container.ports {
            let number = if launch.container.is_on_host() { Some(port.container) } else { port.host_number() };
            if let Some(number) = number.filter(|number| is_taken(port, *number)) {
                let by = os::listening(number).map(|process| format!(" by {process}")).unwrap_or_default();
                taken.push(format!("port {number} of `{}` is already in use{by}", launch.name));
            }
        }
    }
    if taken.is_empty() {
        return Ok(());
    }
    bail!(
        Code::PortTaken.error(format!(
            "{}\nhelp: stop the process that uses it, or change `ports` in the service's table",
            taken.join("; ")
        ))
    );
}

fn is_taken(port: &Port, number: u16) -> bool {
    let address = port.host.as_deref().and_then(|host| Some(host.rsplit_once(':')?.0)).unwrap_or("0.0.0.0");
    let address = (address.trim_matches(['[', ']']), number);
    let error = match port.protocol {
        Protocol::Udp => UdpSocket::bind(address).err(),
        _ => TcpListener::bind(address).err(),
    };
    // Other errors, such as for a privileged port, do not mean that the port is in use.
    error.is_some_and(|error| error.kind() == AddrInUse)
}
