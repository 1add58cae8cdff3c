//! A container to be made, and what the engine is told of it.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context as _, Result, bail};
use bollard::models::{ContainerCreateBody, DeviceMapping, EndpointSettings, HostConfig, NetworkingConfig, PortBinding};

use crate::app::{Confinement, Container, Memory, Resources, Volume, VolumeSource};

/// A container to be made.
#[derive(Clone, Debug)]
pub struct NewContainer<'a> {
    /// Its name.
    pub name: String,
    /// How it runs, with all its variables.
    pub container: &'a Container,
    /// The app whose named volumes it has.
    pub volumes_of: &'a str,
    /// `linux/arm64`, where it is not the engine's own.
    pub platform: Option<String>,
    /// Labels beside its own.
    pub labels: BTreeMap<String, String>,
    /// Ports that can be reached from outside.
    pub published: Vec<Published>,
    /// Where it finds others.
    pub network: Network,
}

/// A port that can be reached from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// `8080/tcp`
    pub port: String,
    /// Of the host; empty for any.
    pub address: String,
    /// Of the host; none for a free one.
    pub at: Option<u16>,
}

/// Where a container finds others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Network {
    /// `host`, `none`, or `bridge`.
    Mode(String),
    /// A network of this name, in which it has these names.
    Named(String, Vec<String>),
}

/// The request that creates it.
///
/// # Errors
/// When a device is not on this machine.
pub(super) fn body(new: &NewContainer<'_>) -> Result<ContainerCreateBody> {
    let Container {
        image,
        command,
        args,
        environment,
        volumes,
        user,
        workdir,
        devices,
        privileged,
        confinement: Confinement { init, cap_add, cap_drop, read_only, tmpfs },
        labels,
        resources,
        // These are among the variables.
        secrets: _,
        env_files: _,
        // These are `published`, and this is `network`.
        ports: _,
        network_mode: _,
        // The runtime checks, stops and restarts the container itself.
        health: _,
        stop_grace_period: _,
        restart: _,
        replicas: _,
    } = new.container;
    let Resources { cpu, memory, cpu_limit, memory_limit } = resources;
    let mut bindings: HashMap<String, Option<Vec<PortBinding>>> = HashMap::new();
    for published in &new.published {
        let binding = PortBinding {
            host_ip: Some(published.address.clone()),
            host_port: Some(published.at.map(|port| port.to_string()).unwrap_or_default()),
        };
        bindings.entry(published.port.clone()).or_default().get_or_insert_default().push(binding);
    }
    let (mode, networking) = match &new.network {
        Network::Mode(mode) => (mode.clone(), None),
        Network::Named(name, aliases) => {
            let settings = EndpointSettings { aliases: Some(aliases.clone()), ..EndpointSettings::default() };
            let endpoints_config = Some(HashMap::from([(name.clone(), settings)]));
            (name.clone(), Some(NetworkingConfig { endpoints_config }))
        }
    };
    let bytes = |memory: &Option<Memory>| memory.as_ref().and_then(|memory| memory.bytes.try_into().ok());
    let devices = devices.iter().map(|text| device(text)).collect::<Result<Vec<_>>>()?;
    let host_config = HostConfig {
        binds: Some(volumes.iter().map(|volume| bind(volume, new.volumes_of)).collect()),
        port_bindings: Some(bindings),
        network_mode: Some(mode),
        devices: Some(devices),
        privileged: Some(*privileged),
        init: init.then_some(true),
        cap_add: some(cap_add),
        cap_drop: some(cap_drop),
        readonly_rootfs: Some(*read_only),
        tmpfs: (!tmpfs.is_empty()).then(|| tmpfs.iter().map(|path| (path.clone(), String::new())).collect()),
        memory: bytes(memory_limit),
        memory_reservation: bytes(memory),
        nano_cpus: cpu_limit.as_ref().and_then(|cpu| (cpu.milli * 1_000_000).try_into().ok()),
        cpu_shares: cpu.as_ref().and_then(|cpu| cpu.shares().try_into().ok()),
        ..HostConfig::default()
    };
    let labels = labels.iter().chain(&new.labels).map(|(name, value)| (name.clone(), value.clone()));
    Ok(ContainerCreateBody {
        image: Some(image.to_string()),
        entrypoint: command.clone(),
        cmd: some(args),
        env: Some(environment.iter().map(|(name, value)| format!("{name}={value}")).collect()),
        user: user.clone(),
        working_dir: workdir.clone(),
        labels: Some(labels.collect()),
        exposed_ports: Some(new.published.iter().map(|published| published.port.clone()).collect()),
        host_config: Some(host_config),
        networking_config: networking,
        ..ContainerCreateBody::default()
    })
}

fn some(list: &[String]) -> Option<Vec<String>> {
    (!list.is_empty()).then(|| list.to_vec())
}

/// `SOURCE:TARGET` or `SOURCE:TARGET:ro`.
fn bind(volume: &Volume, app: &str) -> String {
    let source = match &volume.source {
        VolumeSource::Named(name) => format!("{app}_{name}"),
        VolumeSource::Host(path) => path.clone(),
    };
    format!("{source}:{}{}", volume.target, if volume.read_only { ":ro" } else { "" })
}

fn device(text: &str) -> Result<DeviceMapping> {
    let parts: Vec<&str> = text.split(':').collect();
    let (host, inside, allowed) = match parts[..] {
        [host] => (host, host, "rwm"),
        [host, inside] => (host, inside, "rwm"),
        [host, inside, allowed] => (host, inside, allowed),
        _ => bail!("`{text}` is not a device"),
    };
    std::fs::metadata(host).with_context(|| format!("this machine has no device `{host}`"))?;
    Ok(DeviceMapping {
        path_on_host: Some(host.into()),
        path_in_container: Some(inside.into()),
        cgroup_permissions: Some(allowed.into()),
    })
}
