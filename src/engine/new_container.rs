//! The request that creates a container.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context as _, Result, bail};
use bollard::models::{
    ContainerCreateBody, DeviceMapping, EndpointSettings, HealthConfig, HostConfig, NetworkingConfig, PortBinding,
};

use crate::app::{Confinement, Container, Memory, Resources, Volume, VolumeSource};

/// A container to create.
#[derive(Clone, Debug)]
pub struct NewContainer<'a> {
    /// Its name.
    pub name: String,
    /// Its settings; environment files and secrets are already part of the environment.
    pub container: &'a Container,
    /// The app whose named volumes it mounts.
    pub volumes_of: &'a str,
    /// Whether the engine's init is process 1; `None` leaves it to the engine.
    pub init: Option<bool>,
    /// The platform, if it is not the engine's own, such as `linux/arm64`.
    pub platform: Option<String>,
    /// Additional labels.
    pub labels: BTreeMap<String, String>,
    /// Ports published on the host.
    pub published: Vec<Published>,
    /// Its network.
    pub network: Network,
}

/// A published port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The container's port, such as `8080/tcp`.
    pub port: String,
    /// The host's address; empty for all addresses.
    pub address: String,
    /// The host's port; `None` for a free one.
    pub at: Option<u16>,
}

/// The network of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Network {
    /// `host`, `none`, or `bridge`.
    Mode(String),
    /// A network's name, and the container's names in it.
    Named(String, Vec<String>),
}

/// Builds the request that creates the container.
///
/// # Errors
/// When this machine lacks a device.
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
        confinement: Confinement { init: _, cap_add, cap_drop, read_only, tmpfs },
        labels,
        resources,
        // Already part of the environment.
        secrets: _,
        env_files: _,
        // Replaced by `published` and `network`.
        ports: _,
        network_mode: _,
        // The runtime itself runs health checks, and stops and restarts containers.
        health,
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
        init: new.init,
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
        // What the image says of it would ask a second time.
        healthcheck: health.as_ref().map(|_| HealthConfig { test: Some(vec!["NONE".into()]), ..HealthConfig::default() }),
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
