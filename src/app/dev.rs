//! What is the same wherever services are developed, in containers of ours or in compose's.

use std::collections::{BTreeMap, BTreeSet};

use super::{Port, Protocol, Service};

/// Where a service finds its package's folder, which it cannot change.
pub const SOURCE_FOLDER: &str = "/usr/src/app";

/// The variable that says so, and its value.
pub const DEV_VARIABLE: (&str, &str) = ("ENV", "dev");

/// For each service by name, its ports with a port of the host each: the one that its table says, else, on 127.0.0.1, the same
/// number; the next free one where another service of the app has that already.
pub fn own_ports(services: &[Service]) -> BTreeMap<String, Vec<Port>> {
    let ours = || services.iter().filter(|service| matches!(service.container.network_mode.as_deref(), None | Some("bridge")));
    let mut taken: BTreeSet<(u16, Protocol)> = BTreeSet::new();
    let mut all: BTreeMap<String, Vec<Port>> = BTreeMap::new();
    // What somebody wrote down comes first.
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
                    Some(host) => host.rfind(':').map_or("", |at| &host[..=at]),
                };
                let own = Port { host: Some(format!("{address}{number}")), ..port.clone() };
                all.entry(service.name.to_string()).or_default().push(own);
            }
        }
    }
    all
}
