//! How a service is started here.

use anyhow::Result;

use super::inside::Inside;
use super::prepared::Prepared;
use crate::app::{DEV_VARIABLE, SOURCE_FOLDER, Service, Volume, VolumeSource, own_ports};
use crate::plan::Layout;
use crate::runtime::{Addresses, Launch};

/// With its executable and its sources mounted, at ports of its own, told that it is developed, and where its dependencies are.
pub fn in_dev(launch: Launch, prepared: &Prepared, at: usize, addresses: &Addresses, inside: &mut Inside) -> Result<Launch> {
    let plan = &prepared.session.plan;
    let service = &plan.services[at];
    let of_host = launch.network_mode.as_deref() == Some("host");
    let address = |name: &str, port: u16| match addresses.get(&(name.to_owned(), port)) {
        Some(address) if of_host => address.clone(),
        _ => (name.to_owned(), port),
    };
    let mut launch = Launch { image: service.image.to_string(), ..launch };
    launch.environment.insert(DEV_VARIABLE.0.into(), DEV_VARIABLE.1.into());
    launch.environment.extend(service.dev.variables(&address).map_err(anyhow::Error::msg)?);
    launch.ports = own_ports(&plan.services).remove(service.name.as_str()).unwrap_or_default();
    let source = VolumeSource::Host(service.folder.display().to_string());
    launch.volumes.push(Volume { source, target: SOURCE_FOLDER.to_owned(), read_only: true });
    launch.volumes.push(Inside::executable(service, &prepared.binaries[at]));
    let mut words = command_line(&launch, service, plan.layout);
    // It is called as it is in an image, by the link.
    let link = service.files.iter().find(|file| file.link.as_ref() == Some(&service.binary_path));
    words
        .iter_mut()
        .zip(link)
        .filter(|(word, _)| **word == service.binary_path)
        .for_each(|(word, link)| word.clone_from(&link.to));
    let (words, volumes) = inside.supervised(service, words);
    launch.volumes.extend(volumes);
    (launch.entrypoint, launch.command) = (Some(words), Some(Vec::new()));
    Ok(launch)
}

/// What the engine would run: what the launch says, over what the image says.
fn command_line(launch: &Launch, service: &Service, layout: Layout) -> Vec<String> {
    let of_image = layout == Layout::ImagePerService;
    let command = launch.command.clone();
    match &launch.entrypoint {
        Some(entrypoint) => entrypoint.iter().cloned().chain(command.unwrap_or_default()).collect(),
        None if of_image => service.entrypoint().into_iter().chain(command.unwrap_or_else(|| service.args.clone())).collect(),
        None => command.unwrap_or_default(),
    }
}
