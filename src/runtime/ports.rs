//! Finds ports of this machine that are already in use.

use std::collections::BTreeMap;
use std::io::ErrorKind::AddrInUse;
use std::net::{TcpListener, UdpSocket};

use anyhow::{Result, bail};

use super::launch::Launch;
use crate::app::{Port, Protocol};
use crate::diagnostic::Code;
use crate::engine::Engine;
use crate::os;
use crate::shell::Shell;

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
                taken.push(format!("port {number} of `{}` is already in use{}", launch.name, by(engine, number)));
            }
        }
    }
    if taken.is_empty() {
        return Ok(());
    }
    bail!(
        Code::PortTaken.error(format!("{}\nhelp: stop what uses it, or change `ports` in the service's table", taken.join("; ")))
    );
}

/// The ports of this machine that a run of `dev` publishes, each chosen once.
#[derive(Default)]
pub struct ChosenPorts {
    /// By service, port of the container such as `80/tcp`, and wanted port: the port that it got.
    ports: BTreeMap<(String, String, u16), u16>,
}

impl ChosenPorts {
    /// Publishes ports on 127.0.0.1 unless they name an address, and moves those in use to the next free number, with a warning.
    pub fn place(&mut self, launches: &mut [&mut Launch], engine: &Engine, shell: &Shell) {
        let wanted: Vec<u16> = launches.iter().flat_map(|one| one.container.ports.iter().filter_map(Port::host_number)).collect();
        for Launch { name, container, .. } in launches {
            for port in &mut container.ports {
                let Some(number) = port.host_number() else { continue };
                let address =
                    port.host.as_deref().and_then(|host| Some(host.rsplit_once(':')?.0)).unwrap_or("127.0.0.1").to_owned();
                port.host = Some(format!("{address}:{number}"));
                let key = (name.clone(), port.exposed(), number);
                let free = |at: &u16| {
                    (*at == number || !wanted.contains(at))
                        && !self.ports.values().any(|other| other == at)
                        && !is_taken(port, *at)
                };
                let at = self.ports.get(&key).copied().or_else(|| (number..=u16::MAX).find(free)).unwrap_or(number);
                if at != number && !self.ports.contains_key(&key) {
                    let by = by(engine, number);
                    shell.warning(format_args!("port {number} of `{name}` is already in use{by}; using {at}"));
                }
                self.ports.insert(key, at);
                port.host = Some(format!("{address}:{at}"));
            }
        }
    }

    /// Forgets the ports of services that do not run, which may have been taken meanwhile.
    pub fn forget(&mut self, runs: impl Fn(&String) -> bool) {
        self.ports.retain(|(name, ..), _| runs(name));
    }
}

/// ` by …`: the container that publishes a port, for which a process of the engine listens, or the process.
fn by(engine: &Engine, port: u16) -> String {
    let container = engine.publisher(port).ok().flatten().map(|name| format!(" by the container `{name}`"));
    container.or_else(|| Some(format!(" by {}", os::listening(port)?))).unwrap_or_default()
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
