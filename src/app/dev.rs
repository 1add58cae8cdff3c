//! Development settings that `dev` and the compose file of `generate --for dev` share.

use std::collections::{BTreeMap, BTreeSet};

use super::{Port, Protocol, Service};

/// Where the package's folder is mounted read-only in the service's container.
pub const SOURCE_FOLDER: &str = "/usr/src/app";

/// The environment variable that marks development, and its value.
pub const DEV_VARIABLE: (&str, &str) = ("ENV", "dev");

/// Gives every port of every service a host port, by service name: the one from its table; otherwise the same number,
/// or the next free one if another service of the app already has it. The address is 127.0.0.1 unless the table names one.
pub fn own_ports(services: &[Service]) -> BTreeMap<String, Vec<Port>> {
    let ours = || services.iter().filter(|service| matches!(service.container.network_mode.as_deref(), None | Some("bridge")));
    let mut taken: BTreeSet<(u16, Protocol)> = BTreeSet::new();
    let mut all: BTreeMap<String, Vec<Port>> = BTreeMap::new();
    // Ports from the tables take precedence.
    for written in [true, false] {
        for service in ours() {
            for port in service.container.ports.iter().filter(|port| port.host.is_some() == written) {
                let wanted = port.host_number().unwrap_or(port.container);
                let Some(number) = (wanted..=u16::MAX).find(|number| !taken.contains(&(*number, port.protocol))) else {
                    continue;
                };
                taken.insert((number, port.protocol));
                let address = match port.host.as_deref() {
                    None => "127.0.0.1:",
                    Some(host) => host.rfind(':').map_or("127.0.0.1:", |at| &host[..=at]),
                };
                let own = Port { host: Some(format!("{address}{number}")), ..port.clone() };
                all.entry(service.name.to_string()).or_default().push(own);
            }
        }
    }
    all
}
