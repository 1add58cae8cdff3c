//! Ports of this machine that are in use already.

use std::io::ErrorKind::AddrInUse;
use std::net::{TcpListener, UdpSocket};

use anyhow::{Result, bail};

use super::launch::Launch;
use crate::app::{Port, Protocol};
use crate::diagnostic::Code;
use crate::engine::Engine;
use crate::os;

/// Checks that the ports that services publish are free, so that nothing is started before a conflict is known. Ports of an engine on
/// another machine are not checked.
///
/// # Errors
/// When a port is in use; names the process where that can be found out.
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
        Code::PortTaken.error(format!("{}\nhelp: stop the process that uses it, or change `ports` in the service's table", taken.join("; ")))
    );
}

fn is_taken(port: &Port, number: u16) -> bool {
    let address = port.host.as_deref().and_then(|host| Some(host.rsplit_once(':')?.0)).unwrap_or("0.0.0.0");
    let address = (address.trim_matches(['[', ']']), number);
    let error = match port.protocol {
        Protocol::Udp => UdpSocket::bind(address).err(),
        _ => TcpListener::bind(address).err(),
    };
    // Another error, such as a port that only root may open, does not say that it is taken.
    error.is_some_and(|error| error.kind() == AddrInUse)
}
