//! Docker Swarm: the services of stacks, their networks and secrets, and removing what a stack leaves behind.

mod replica;
mod saved;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::models::{LocalNodeState, NetworkCreateRequest, SecretSpec, Service, ServiceUpdateStatusStateEnum};
use bollard::query_parameters::{
    ListConfigsOptionsBuilder, ListContainersOptionsBuilder, ListNetworksOptionsBuilder, ListSecretsOptionsBuilder,
    ListTasksOptionsBuilder, LogsOptions, LogsOptionsBuilder,
};
use futures_util::{Stream, StreamExt as _};
use hyper::Method;
use serde_json::Value;

pub use replica::Replica;
pub use saved::SavedService;

use super::Engine;
use super::request::encoded;

/// The label that marks what belongs to a stack.
pub const STACK_LABEL: &str = "com.docker.stack.namespace";

/// How long to wait for the next of a service's last output lines.
const LOG_PATIENCE: Duration = Duration::from_secs(5);

/// The swarm of an engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SwarmFacts {
    /// Whether the engine is part of a swarm.
    pub active: bool,
    /// Whether it is a manager, which can start services.
    pub manager: bool,
    /// The engine's host name.
    pub host: String,
    /// The number of nodes.
    pub nodes: i64,
}

/// The state of one service of a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SwarmService {
    /// Its full name, `STACK_SERVICE`.
    pub name: String,
    /// Its image.
    pub image: String,
    /// Labels of its containers.
    pub labels: BTreeMap<String, String>,
    /// How many replicas there should be.
    pub wanted: u64,
    /// How many replicas run; one with a health check counts once it is healthy.
    pub running: u64,
    /// Whether replicas have a health check.
    pub checked: bool,
    /// Whether replicas of an older version are still being replaced.
    pub updating: bool,
    /// Whether Docker stopped the last update, because new replicas failed.
    pub paused: bool,
    /// Whether Docker reverted the last update.
    pub reverted: bool,
    /// Its replicas, those that failed before as well.
    pub replicas: Vec<Replica>,
}

impl SwarmService {
    /// How many replicas of an older version run.
    pub fn outdated(&self) -> usize {
        self.replicas.iter().filter(|replica| replica.running && !replica.current).count()
    }

    /// The replicas that failed, the last one at the end.
    pub fn failed(&self) -> Vec<&Replica> {
        let mut failed: Vec<&Replica> = self.replicas.iter().filter(|replica| replica.failure.is_some()).collect();
        failed.sort_by(|a, b| a.changed.cmp(&b.changed));
        failed
    }
}

fn only(stack: &str) -> HashMap<String, Vec<String>> {
    HashMap::from([("label".to_owned(), vec![format!("{STACK_LABEL}={stack}")])])
}

impl Engine {
    /// The swarm that this engine is part of.
    pub fn swarm(&self) -> Result<SwarmFacts> {
        let info = self.wait("reading the state of its swarm", self.docker.info())?;
        let swarm = info.swarm.unwrap_or_default();
        Ok(SwarmFacts {
            active: swarm.local_node_state == Some(LocalNodeState::ACTIVE),
            manager: swarm.control_available.unwrap_or_default(),
            host: info.name.unwrap_or_default(),
            nodes: swarm.nodes.unwrap_or_default(),
        })
    }

    /// Creates an overlay network for a stack, unless it exists; returns whether it was created.
    pub fn create_overlay(&self, name: &str, stack: &str) -> Result<bool> {
        let there = self.runtime.block_on(self.docker.inspect_network(name, None));
        if there.is_ok_and(|network| network.scope.as_deref() == Some("swarm")) {
            return Ok(false);
        }
        let request = NetworkCreateRequest {
            name: name.to_owned(),
            driver: Some("overlay".into()),
            attachable: Some(true),
            labels: Some(HashMap::from([(STACK_LABEL.to_owned(), stack.to_owned())])),
            ..NetworkCreateRequest::default()
        };
        self.wait(&format!("creating the network `{name}`"), self.docker.create_network(request)).map(|_| true)
    }

    /// The services of a stack, as the engine describes them in JSON.
    fn listed(&self, stack: &str, doing: &str) -> Result<Vec<Value>> {
        let filters = encoded(&serde_json::to_string(&only(stack))?);
        let all = self.json(Method::GET, &format!("/services?status=true&filters={filters}"), None, doing)?;
        Ok(all.as_array().cloned().unwrap_or_default())
    }

    /// The services of a stack, by name.
    pub fn services(&self, stack: &str) -> Result<Vec<SwarmService>> {
        let doing = format!("inspecting the stack `{stack}`");
        let services = self.listed(stack, &doing)?;
        let options = ListTasksOptionsBuilder::new().filters(&only(stack)).build();
        let tasks = self.wait(&doing, self.docker.list_tasks(Some(options)))?;
        let mut all = Vec::new();
        for value in services {
            let is_checked = is_checked(&value);
            let service: Service =
                serde_json::from_value(value).context("the engine's list of services is not as it should be")?;
            let mut seen = facts(&service, is_checked);
            let spec = service.spec.as_ref().and_then(|spec| spec.task_template.as_ref());
            let own = tasks.iter().filter(|task| task.service_id == service.id);
            seen.replicas = own.map(|task| Replica::of(task, spec)).collect();
            all.push(seen);
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    /// Whether the swarm has a secret of this name.
    pub fn has_secret(&self, name: &str) -> Result<bool> {
        match self.runtime.block_on(self.docker.inspect_secret(name)) {
            Ok(_) => Ok(true),
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(false),
            Err(error) => Err(self.told(error, &format!("looking for the secret `{name}`"))),
        }
    }

    /// Creates a secret, labelled so that it is removed with its stack.
    pub fn create_secret(&self, name: &str, stack: &str, text: &str) -> Result<()> {
        let spec = SecretSpec {
            name: Some(name.to_owned()),
            labels: Some(HashMap::from([(STACK_LABEL.to_owned(), stack.to_owned())])),
            data: Some(base64::prelude::BASE64_STANDARD.encode(text)),
            ..SecretSpec::default()
        };
        self.wait(&format!("creating the secret `{name}`"), self.docker.create_secret(spec)).map(drop)
    }

    /// Removes a secret, if it exists.
    pub fn remove_secret(&self, name: &str) -> Result<()> {
        self.forget(&format!("removing the secret `{name}`"), self.docker.delete_secret(name)).map(drop)
    }

    /// The last output lines of a service's replicas.
    pub fn last_words(&self, service: &str, lines: usize) -> Result<Vec<String>> {
        self.lines(self.docker.service_logs(service, Some(tail(lines))), service, lines)
    }

    /// The last output lines of one replica of a service.
    pub fn last_words_of(&self, replica: &Replica, service: &str, lines: usize) -> Result<Vec<String>> {
        self.lines(self.docker.task_logs(&replica.id, Some(tail(lines))), service, lines)
    }

    fn lines(&self, pieces: impl Stream<Item = Result<LogOutput, Error>>, service: &str, lines: usize) -> Result<Vec<String>> {
        let doing = format!("reading the output of `{service}`");
        let mut text = Vec::new();
        self.runtime.block_on(async {
            let mut pieces = std::pin::pin!(pieces);
            // Docker keeps waiting for logs from nodes that are gone.
            while let Ok(Some(piece)) = tokio::time::timeout(LOG_PATIENCE, pieces.next()).await {
                text.extend_from_slice(&piece.map_err(|error| self.told(error, &doing))?.into_bytes());
            }
            anyhow::Ok(())
        })?;
        let all: Vec<String> = String::from_utf8_lossy(&text).lines().map(str::to_owned).collect();
        Ok(all[all.len().saturating_sub(lines)..].to_vec())
    }

    /// Removes a service, if it exists; its replicas get SIGTERM and their grace period.
    pub fn remove_service(&self, name: &str) -> Result<()> {
        self.forget(&format!("removing the service `{name}`"), self.docker.delete_service(name)).map(drop)
    }

    /// The running containers of a stack on this node.
    pub fn containers_of(&self, stack: &str) -> Result<Vec<String>> {
        let options = ListContainersOptionsBuilder::new().filters(&only(stack)).build();
        let found = self.wait(&format!("inspecting the stack `{stack}`"), self.docker.list_containers(Some(options)))?;
        Ok(found.into_iter().flat_map(|container| container.names.unwrap_or_default()).collect())
    }

    /// Removes the unused networks, configs and secrets of a stack; returns the names of those still in use.
    pub fn remove_rest(&self, stack: &str) -> Result<Vec<String>> {
        let doing = format!("removing the rest of the stack `{stack}`");
        let options = ListNetworksOptionsBuilder::new().filters(&only(stack)).build();
        let mut left = Vec::new();
        for network in self.wait(&doing, self.docker.list_networks(Some(options)))? {
            let (Some(id), Some(name)) = (network.id, network.name) else { continue };
            if !self.forget(&doing, self.docker.remove_network(&id))? {
                left.push(name);
            }
        }
        let options = ListConfigsOptionsBuilder::new().filters(&only(stack)).build();
        for config in self.wait(&doing, self.docker.list_configs(Some(options)))? {
            let Some(id) = config.id else { continue };
            if !self.forget(&doing, self.docker.delete_config(&id))? {
                left.push(config.spec.and_then(|spec| spec.name).unwrap_or(id));
            }
        }
        let options = ListSecretsOptionsBuilder::new().filters(&only(stack)).build();
        for secret in self.wait(&doing, self.docker.list_secrets(Some(options)))? {
            let Some(id) = secret.id else { continue };
            if !self.forget(&doing, self.docker.delete_secret(&id))? {
                left.push(secret.spec.and_then(|spec| spec.name).unwrap_or(id));
            }
        }
        // A removed network is listed until its last replica has left it.
        let options = ListNetworksOptionsBuilder::new().filters(&only(stack)).build();
        let still = self.wait(&doing, self.docker.list_networks(Some(options)))?;
        left.extend(still.into_iter().filter_map(|network| network.name));
        left.sort();
        left.dedup();
        Ok(left)
    }

    /// Whether it is gone; false if it is still in use.
    fn forget(&self, doing: &str, answer: impl Future<Output = Result<(), Error>>) -> Result<bool> {
        match self.runtime.block_on(answer) {
            Ok(()) | Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(true),
            Err(Error::DockerResponseServerError { message, .. }) if in_use(&message) => Ok(false),
            // Docker 20.10 answers 500 for a network that is being removed.
            Err(Error::DockerResponseServerError { message, .. }) if message.contains("not found") => Ok(true),
            Err(error) => Err(self.told(error, doing)),
        }
    }
}

fn tail(lines: usize) -> LogsOptions {
    LogsOptionsBuilder::new().stdout(true).stderr(true).tail(&lines.to_string()).build()
}

fn in_use(message: &str) -> bool {
    ["in use", "active endpoints"].iter().any(|words| message.contains(words))
}

/// Whether a service's containers have a health check. Docker writes `Healthcheck`, bollard reads `HealthCheck`.
fn is_checked(service: &Value) -> bool {
    let test = service.pointer("/Spec/TaskTemplate/ContainerSpec/Healthcheck/Test/0");
    test.and_then(Value::as_str).is_some_and(|first| first != "NONE")
}

fn facts(service: &Service, is_checked: bool) -> SwarmService {
    let status = service.service_status.clone().unwrap_or_default();
    let spec = service.spec.clone().unwrap_or_default();
    let container = spec.task_template.and_then(|template| template.container_spec).unwrap_or_default();
    use ServiceUpdateStatusStateEnum::{PAUSED, ROLLBACK_COMPLETED, ROLLBACK_PAUSED, ROLLBACK_STARTED, UPDATING};
    let update = service.update_status.as_ref().and_then(|update| update.state);
    SwarmService {
        name: spec.name.unwrap_or_default(),
        image: container.image.unwrap_or_default(),
        labels: container.labels.unwrap_or_default().into_iter().collect(),
        wanted: status.desired_tasks.unwrap_or_default(),
        running: status.running_tasks.unwrap_or_default(),
        checked: is_checked,
        updating: matches!(update, Some(UPDATING | ROLLBACK_STARTED)),
        paused: matches!(update, Some(PAUSED | ROLLBACK_PAUSED)),
        reverted: matches!(update, Some(ROLLBACK_STARTED | ROLLBACK_COMPLETED)),
        replicas: Vec::new(),
    }
}
