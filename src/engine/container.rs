//! Creates, starts, watches and removes containers and their networks.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use anyhow::Result;
use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::exec::StartExecOptions;
use bollard::models::{ContainerInspectResponse, ContainerStateStatusEnum, ExecConfig, NetworkCreateRequest, PortBinding};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, KillContainerOptionsBuilder, LogsOptionsBuilder, RemoveContainerOptionsBuilder,
};
use futures_util::StreamExt as _;

use super::Engine;
use super::new_container::{NewContainer, body};

/// The state of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Whether its program runs.
    pub running: bool,
    /// The exit code of its program.
    pub exit_code: i64,
    /// The published ports of the host, by container port such as `8080/tcp`.
    pub ports: BTreeMap<String, u16>,
}

impl Engine {
    /// Creates a network.
    pub fn create_network(&self, name: &str, labels: &BTreeMap<String, String>) -> Result<()> {
        let labels: HashMap<String, String> = labels.clone().into_iter().collect();
        let request = NetworkCreateRequest {
            name: name.to_owned(),
            driver: Some("bridge".into()),
            labels: Some(labels),
            ..NetworkCreateRequest::default()
        };
        self.wait(&format!("creating the network `{name}`"), self.docker.create_network(request)).map(drop)
    }

    /// Removes a network, if it exists.
    pub fn remove_network(&self, name: &str) -> Result<()> {
        self.gone(&format!("removing the network `{name}`"), self.docker.remove_network(name))
    }

    /// Creates a container without starting it.
    pub fn create(&self, new: &NewContainer<'_>) -> Result<()> {
        let options = CreateContainerOptionsBuilder::new().name(&new.name);
        let options = match &new.platform {
            Some(platform) => options.platform(platform),
            None => options,
        };
        let created = self.docker.create_container(Some(options.build()), body(new)?);
        self.wait(&format!("creating a container of `{}`", new.container.image), created).map(drop)
    }

    /// Starts a container.
    pub fn start(&self, name: &str) -> Result<()> {
        self.wait(&format!("starting the container `{name}`"), self.docker.start_container(name, None))
    }

    /// The state of a container; `None` if it was removed.
    pub fn state(&self, name: &str) -> Result<Option<State>> {
        let doing = format!("inspecting the container `{name}`");
        let mut tries = 0..40;
        let found = loop {
            match self.runtime.block_on(self.docker.inspect_container(name, None)) {
                // Podman's state of a container that ended but is not cleaned up yet; Docker has no such state.
                Err(Error::JsonDataError { message, .. }) if message.contains("variant `stopped`") => {
                    if tries.next().is_none() {
                        return Ok(Some(State::default()));
                    }
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(Error::DockerResponseServerError { status_code: 404, .. }) => return Ok(None),
                // Its program was killed to remove it, and did not crash.
                Ok(found) if is_being_removed(&found) => {
                    if tries.next().is_none() {
                        return Ok(None);
                    }
                    std::thread::sleep(Duration::from_millis(50));
                }
                found => break found.map_err(|error| self.told(error, &doing))?,
            }
        };
        let state = found.state.unwrap_or_default();
        let ports = found.network_settings.and_then(|settings| settings.ports).unwrap_or_default();
        let first = |bindings: Option<Vec<PortBinding>>| bindings?.into_iter().find_map(|b| b.host_port?.parse().ok());
        Ok(Some(State {
            running: state.running.unwrap_or_default(),
            exit_code: state.exit_code.unwrap_or_default(),
            ports: ports.into_iter().filter_map(|(port, bindings)| Some((port, first(bindings)?))).collect(),
        }))
    }

    /// Sends a signal, such as `SIGTERM`; does nothing if the container has ended.
    pub fn signal(&self, name: &str, signal: &str) -> Result<()> {
        let options = KillContainerOptionsBuilder::new().signal(signal).build();
        self.gone(&format!("stopping the container `{name}`"), self.docker.kill_container(name, Some(options)))
    }

    /// Removes a container and its anonymous volumes, even if it is running.
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

    /// Passes on what a container writes, from its start until it ends, with whether it came from stderr.
    pub fn follow(&self, name: &str, show: impl FnMut(&[u8], bool)) -> Result<()> {
        self.output(name, true, None, show)
    }

    /// Passes on the last `tail` lines that a container has written, or all, and with `follow` what it writes until it ends.
    pub fn output(&self, name: &str, follow: bool, tail: Option<usize>, mut show: impl FnMut(&[u8], bool)) -> Result<()> {
        let tail = tail.map_or_else(|| "all".to_owned(), |lines| lines.to_string());
        let options = LogsOptionsBuilder::new().follow(follow).stdout(true).stderr(true).tail(&tail).build();
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

    /// Runs a command in a container; returns whether it exited with 0 in time.
    pub fn probe(&self, name: &str, command: &[String], timeout: Duration) -> Result<bool> {
        let config = ExecConfig { cmd: Some(command.to_vec()), ..ExecConfig::default() };
        let doing = format!("checking the health of the container `{name}`");
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
            // The container has ended, or the program does not exist in it.
            Err(Error::DockerResponseServerError { .. }) => Ok(false),
            Err(error) => Err(told(error)),
        }
    }
}

/// Whether a container that has ended is on its way out.
fn is_being_removed(found: &ContainerInspectResponse) -> bool {
    found.state.as_ref().and_then(|state| state.status) == Some(ContainerStateStatusEnum::REMOVING)
}
