//! Containers and their networks.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::exec::StartExecOptions;
use bollard::models::{
    ContainerCreateBody, DeviceMapping, EndpointSettings, ExecConfig, HostConfig, NetworkCreateRequest, NetworkingConfig,
    PortBinding,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, KillContainerOptionsBuilder, LogsOptionsBuilder, RemoveContainerOptionsBuilder,
};
use futures_util::StreamExt as _;

use super::Engine;
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

/// How a container is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Whether its program runs.
    pub running: bool,
    /// How it ended.
    pub exit_code: i64,
    /// The host's ports, by `8080/tcp`.
    pub ports: BTreeMap<String, u16>,
}

impl Engine {
    /// Makes a network.
    pub fn create_network(&self, name: &str, labels: &BTreeMap<String, String>) -> Result<()> {
        let labels: HashMap<String, String> = labels.clone().into_iter().collect();
        let request = NetworkCreateRequest {
            name: name.to_owned(),
            driver: Some("bridge".into()),
            labels: Some(labels),
            ..NetworkCreateRequest::default()
        };
        self.wait(&format!("making the network `{name}`"), self.docker.create_network(request)).map(drop)
    }

    /// Removes a network; one that is not there is fine.
    pub fn remove_network(&self, name: &str) -> Result<()> {
        self.gone(&format!("removing the network `{name}`"), self.docker.remove_network(name))
    }

    /// Makes a container, and does not start it.
    pub fn create(&self, new: &NewContainer<'_>) -> Result<()> {
        let options = CreateContainerOptionsBuilder::new().name(&new.name);
        let options = match &new.platform {
            Some(platform) => options.platform(platform),
            None => options,
        };
        let created = self.docker.create_container(Some(options.build()), body(new)?);
        self.wait(&format!("making a container of `{}`", new.container.image), created).map(drop)
    }

    /// Starts a container.
    pub fn start(&self, name: &str) -> Result<()> {
        self.wait(&format!("starting the container `{name}`"), self.docker.start_container(name, None))
    }

    /// How a container is.
    pub fn state(&self, name: &str) -> Result<State> {
        let doing = format!("looking at the container `{name}`");
        let mut tries = 0..40;
        let found = loop {
            match self.runtime.block_on(self.docker.inspect_container(name, None)) {
                // Podman's word for a container that has ended and is not tidied up yet; Docker has none.
                Err(Error::JsonDataError { message, .. }) if message.contains("variant `stopped`") => {
                    if tries.next().is_none() {
                        return Ok(State::default());
                    }
                    std::thread::sleep(Duration::from_millis(50));
                }
                found => break found.map_err(|error| self.told(error, &doing))?,
            }
        };
        let state = found.state.unwrap_or_default();
        let ports = found.network_settings.and_then(|settings| settings.ports).unwrap_or_default();
        let first = |bindings: Option<Vec<PortBinding>>| bindings?.into_iter().find_map(|b| b.host_port?.parse().ok());
        Ok(State {
            running: state.running.unwrap_or_default(),
            exit_code: state.exit_code.unwrap_or_default(),
            ports: ports.into_iter().filter_map(|(port, bindings)| Some((port, first(bindings)?))).collect(),
        })
    }

    /// Sends a signal, such as `SIGTERM`; a container that has ended is fine.
    pub fn signal(&self, name: &str, signal: &str) -> Result<()> {
        let options = KillContainerOptionsBuilder::new().signal(signal).build();
        self.gone(&format!("stopping the container `{name}`"), self.docker.kill_container(name, Some(options)))
    }

    /// Removes a container, running or not, with the volumes that have no name.
    pub fn remove(&self, name: &str) -> Result<()> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        self.gone(&format!("removing the container `{name}`"), self.docker.remove_container(name, Some(options)))
    }

    fn gone(&self, doing: &str, answer: impl Future<Output = Result<(), Error>>) -> Result<()> {
        match self.runtime.block_on(answer) {
            Ok(()) | Err(Error::DockerResponseServerError { status_code: 404 | 409, .. }) => Ok(()),
            Err(error) => Err(self.told(error, doing)),
        }
    }

    /// Shows what a container writes, from its start until it ends; says whether it is to stderr.
    pub fn follow(&self, name: &str, mut show: impl FnMut(&[u8], bool)) -> Result<()> {
        let options = LogsOptionsBuilder::new().follow(true).stdout(true).stderr(true).build();
        let doing = format!("following the container `{name}`");
        self.runtime.block_on(async {
            let mut pieces = std::pin::pin!(self.docker.logs(name, Some(options)));
            while let Some(piece) = pieces.next().await {
                match piece.map_err(|error| self.told(error, &doing))? {
                    LogOutput::StdErr { message } => show(&message, true),
                    LogOutput::StdOut { message } | LogOutput::Console { message } | LogOutput::StdIn { message } => {
                        show(&message, false)
                    }
                }
            }
            Ok(())
        })
    }

    /// Runs a command in a container; says whether it ended well in time.
    pub fn probe(&self, name: &str, command: &[String], timeout: Duration) -> Result<bool> {
        let config = ExecConfig { cmd: Some(command.to_vec()), ..ExecConfig::default() };
        let doing = format!("asking the container `{name}` for its health");
        let told = |error| self.told(error, &doing);
        let ended = self.runtime.block_on(async {
            let exec = self.docker.create_exec(name, config).await?.id;
            self.docker.start_exec(&exec, Some(StartExecOptions { detach: true, ..StartExecOptions::default() })).await?;
            let end = tokio::time::Instant::now() + timeout;
            loop {
                let state = self.docker.inspect_exec(&exec).await?;
                if let (Some(false), Some(code)) = (state.running, state.exit_code) {
                    return Ok(code == 0);
                }
                if tokio::time::Instant::now() > end {
                    return Ok(false);
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        match ended {
            Ok(good) => Ok(good),
            // A container that has ended, or has no such program.
            Err(Error::DockerResponseServerError { .. }) => Ok(false),
            Err(error) => Err(told(error)),
        }
    }
}

fn body(new: &NewContainer<'_>) -> Result<ContainerCreateBody> {
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
        // Whoever makes the container asks, ends and starts it.
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
    std::fs::metadata(host).with_context(|| format!("there is no device `{host}` on this machine"))?;
    Ok(DeviceMapping {
        path_on_host: Some(host.into()),
        path_in_container: Some(inside.into()),
        cgroup_permissions: Some(allowed.into()),
    })
}
