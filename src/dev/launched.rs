//! Adapts a service's launch to development.

use anyhow::Result;

use super::inside::Inside;
use crate::app::{Container, DEV_VARIABLE, Port, SOURCE_FOLDER, Service, Unit, Volume, VolumeSource, own_ports};
use crate::plan::{Layout, Plan};
use crate::runtime::{Addresses, Launch};

/// Mounts the service's executable and sources, gives it its own ports, and sets the variables that mark development and name the
/// addresses of its dependencies.
///
/// # Errors
/// When a variable refers to a dependency that does not exist.
pub fn in_dev(launch: Launch, plan: &Plan, unit: Unit<'_>, addresses: &Addresses, inside: &mut Inside) -> Result<Launch> {
    let Unit { service, package, binary, .. } = unit;
    let of_host = launch.container.is_on_host();
    let address = |name: &str, port: u16| match addresses.get(&(name.to_owned(), port)) {
        Some(address) if of_host => address.clone(),
        _ => (name.to_owned(), port),
    };
    let mut container = Container { image: service.container.image.clone(), ..launch.container };
    container.environment.insert(DEV_VARIABLE.0.into(), DEV_VARIABLE.1.into());
    container.environment.extend(service.dev.variables(&address).map_err(anyhow::Error::msg)?);
    container.ports = own_ports(&plan.services).remove(service.name.as_str()).unwrap_or_default();
    let source = VolumeSource::Host(package.folder.display().to_string());
    container.volumes.push(Volume { source, target: SOURCE_FOLDER.to_owned(), read_only: true });
    container.volumes.push(Inside::executable(binary));
    let words = command_line(&container, service, plan.layout);
    let (words, volumes) = inside.supervised(binary, words);
    container.volumes.extend(volumes);
    (container.command, container.args) = (Some(words), Vec::new());
    Ok(Launch { container, ..launch })
}

/// Where services on the host's network find the ports of the app's other services.
pub fn of_services(plan: &Plan) -> Addresses {
    let mut addresses = Addresses::new();
    for (service, ports) in own_ports(&plan.services) {
        let at_host = |port: &Port| Some(((service.clone(), port.container), ("127.0.0.1".to_owned(), port.host_number()?)));
        addresses.extend(ports.iter().filter_map(at_host));
    }
    addresses
}

/// Gives a service whose image others made its own ports; all else is as in production.
pub fn upstream_in_dev(launch: Launch, plan: &Plan) -> Launch {
    let ports = own_ports(&plan.services).remove(&launch.name).unwrap_or_default();
    Launch { container: Container { ports, ..launch.container }, ..launch }
}

/// The command line that the engine would run: the container's own, or that of the image.
fn command_line(container: &Container, service: &Service, layout: Layout) -> Vec<String> {
    let of_image = layout == Layout::ImagePerService;
    let args = &container.args;
    let program = match &container.command {
        Some(command) => command.clone(),
        None if of_image => service.entrypoint(),
        None => Vec::new(),
    };
    let own = of_image && container.command.is_none() && args.is_empty();
    program.into_iter().chain(if own { service.container.args.clone() } else { args.clone() }).collect()
}
