//! A stack in the swarm: deployed, inspected, removed.

use std::collections::HashMap;
use std::pin::Pin;
use std::time::{Duration, Instant};

use base64::Engine as _;
use bollard::Docker;
use bollard::errors::Error as DockerError;
use bollard::models::{ConfigSpec, ServiceSpec};
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListServicesOptionsBuilder, UpdateServiceOptionsBuilder,
};
use serde_json::{Value, json};

use crate::certificate;
use crate::image;
use crate::requests::{Error, Requests, is_missing, missing};

/// A boxed future; deploying a stack recurses into the stacks inside it.
type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(150);

/// How long to pause between two checks.
const PAUSE: Duration = Duration::from_millis(300);

/// How many checks in a row must find changed services running: a change begins only some time after its request.
const SETTLED: usize = 4;

/// The label that tells Docker which stack an object belongs to.
const LABEL: &str = "com.docker.stack.namespace";

/// A stack, with the stacks inside it.
pub struct Stack {
    docker: Docker,
    requests: Requests,
    stacks: Vec<Stack>,
}

impl Stack {
    /// The stack of these requests, in Docker's swarm.
    pub fn new(docker: Docker, mut requests: Requests) -> Self {
        let inner = std::mem::take(&mut requests.stacks).into_iter();
        let stacks = inner
            .map(|inner| Self::new(docker.clone(), inner))
            .collect();
        Self {
            docker,
            requests,
            stacks,
        }
    }

    /// Its name in the swarm.
    pub fn name(&self) -> &str {
        &self.requests.full
    }

    fn labels(&self) -> HashMap<String, String> {
        HashMap::from([(LABEL.to_owned(), self.name().to_owned())])
    }

    fn filters(&self) -> HashMap<String, Vec<String>> {
        HashMap::from([("label".to_owned(), vec![format!("{LABEL}={}", self.name())])])
    }

    /// Creates the networks, then deploys the inner stacks, then the services, each wave once the one before it runs.
    pub fn deploy(&self) -> Later<'_, ()> {
        Box::pin(async move {
            for network in &self.requests.networks {
                if missing(self.docker.inspect_network(&network.name, None).await)? {
                    let mut network = network.clone();
                    network.labels = Some(self.labels());
                    self.docker.create_network(network).await?;
                }
            }
            for stack in &self.stacks {
                stack.deploy().await?;
            }
            if let Some(wanted) = &self.requests.self_signed {
                certificate::provide(&self.docker, wanted, self.labels()).await?;
            }
            for config in &self.requests.configs {
                if missing(self.docker.inspect_config(&config.name).await)? {
                    let spec = ConfigSpec {
                        name: Some(config.name.clone()),
                        labels: Some(self.labels()),
                        data: Some(base64::prelude::BASE64_STANDARD.encode(&config.text)),
                        ..ConfigSpec::default()
                    };
                    self.docker.create_config(spec).await?;
                }
            }
            for specs in self.waves() {
                let mut changed = false;
                for spec in &specs {
                    changed |= self.apply(spec).await?;
                }
                self.wait(&specs, if changed { SETTLED } else { 1 }).await?;
            }
            Ok(())
        })
    }

    /// The services in launch order; those of one wave start and stop together.
    fn waves(&self) -> Vec<Vec<&ServiceSpec>> {
        let services = &self.requests.services;
        let count = services.iter().map(|service| service.wave + 1).max();
        let of = |wave| services.iter().filter(move |service| service.wave == wave);
        (0..count.unwrap_or_default())
            .map(|wave| of(wave).map(|service| &service.spec).collect())
            .collect()
    }

    /// Creates or updates a service; returns whether it already existed.
    async fn apply(&self, spec: &ServiceSpec) -> Result<bool, Error> {
        let mut spec = spec.clone();
        let task = spec.task_template.as_mut();
        if let Some(container) = task.and_then(|task| task.container_spec.as_mut()) {
            image::mark(&self.docker, container).await?;
            for config in container.configs.iter_mut().flatten() {
                let name = config.config_name.clone().unwrap_or_default();
                config.config_id = self.docker.inspect_config(&name).await?.id;
            }
            for secret in container.secrets.iter_mut().flatten() {
                let name = secret.secret_name.clone().unwrap_or_default();
                let found = self.docker.inspect_secret(&name).await;
                secret.secret_id = found
                    .map_err(|error| format!("the secret {name}: {error}"))?
                    .id;
            }
        }
        let name = spec.name.clone().unwrap_or_default();
        match self.docker.inspect_service(&name, None).await {
            Ok(there) => {
                let version = there.version.and_then(|version| version.index);
                let version = i32::try_from(version.unwrap_or_default())?;
                let options = UpdateServiceOptionsBuilder::new().version(version).build();
                let updated = self.docker.update_service(&name, spec, options, None);
                updated.await?;
                Ok(true)
            }
            Err(error) if is_missing(&error) => {
                self.docker.create_service(spec, None).await?;
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until `sure` checks in a row find all replicas of these services running.
    async fn wait(&self, specs: &[&ServiceSpec], sure: usize) -> Result<(), Error> {
        let end = Instant::now() + PATIENCE;
        let mut seen = 0;
        loop {
            let states = self.states().await?;
            let runs = |name: &str| {
                let state = states.iter().find(|state| state["service"] == name);
                state.is_some_and(|state| {
                    state["running"].as_u64() >= state["wanted"].as_u64()
                        && state["updating"] == false
                })
            };
            let mut names = specs.iter().filter_map(|spec| spec.name.as_deref());
            let late = names.find(|name| !runs(name));
            seen = if late.is_none() { seen + 1 } else { 0 };
            if seen >= sure {
                return Ok(());
            }
            if Instant::now() > end {
                let late = late.unwrap_or_default();
                return Err(format!("the service {late} did not start in time").into());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn states(&self) -> Result<Vec<Value>, Error> {
        let options = ListServicesOptionsBuilder::new()
            .filters(&self.filters())
            .status(true)
            .build();
        let services = self.docker.list_services(Some(options)).await?;
        let states = services.into_iter().map(|service| {
            let spec = service.spec.unwrap_or_default();
            let status = service.service_status.unwrap_or_default();
            let container = spec.task_template.and_then(|task| task.container_spec);
            let update = service.update_status.and_then(|update| update.state);
            let update = update.map(|state| state.to_string()).unwrap_or_default();
            json!({
                "service": spec.name,
                "image": container.and_then(|container| container.image),
                "wanted": status.desired_tasks.unwrap_or_default(),
                "running": status.running_tasks.unwrap_or_default(),
                "updating": update == "updating" || update == "rollback_started",
            })
        });
        Ok(states.collect())
    }

    /// The state of this stack and of all stacks inside it.
    pub fn status(&self) -> Later<'_, Vec<Value>> {
        Box::pin(async move {
            let services = self.states().await?;
            let mut all = vec![json!({ "stack": self.name(), "services": services })];
            for stack in &self.stacks {
                all.extend(stack.status().await?);
            }
            Ok(all)
        })
    }

    /// Removes the services in reverse order, then the inner stacks, then networks and configs; waits until everything is gone.
    pub fn remove(&self) -> Later<'_, ()> {
        Box::pin(async move {
            for specs in self.waves().iter().rev() {
                let names = || specs.iter().filter_map(|spec| spec.name.as_deref());
                for name in names() {
                    missing(self.docker.delete_service(name).await)?;
                }
                for name in names() {
                    self.gone(name).await?;
                }
            }
            for stack in self.stacks.iter().rev() {
                stack.remove().await?;
            }
            let end = Instant::now() + PATIENCE;
            for network in &self.requests.networks {
                while !released(self.docker.remove_network(&network.name).await)? {
                    until(end, &network.name).await?;
                }
            }
            let secrets = self.requests.self_signed.iter();
            for secret in secrets.flat_map(|own| [&own.certificate, &own.key]) {
                while !released(self.docker.delete_secret(secret).await)? {
                    until(end, secret).await?;
                }
            }
            for config in &self.requests.configs {
                while !released(self.docker.delete_config(&config.name).await)? {
                    until(end, &config.name).await?;
                }
            }
            Ok(())
        })
    }

    /// Waits until this node runs no replica of a service.
    async fn gone(&self, service: &str) -> Result<(), Error> {
        let end = Instant::now() + PATIENCE;
        let own = format!("/{service}.");
        loop {
            let options = ListContainersOptionsBuilder::new()
                .filters(&self.filters())
                .build();
            let left = self.docker.list_containers(Some(options)).await?;
            let mut names = left.into_iter().flat_map(|one| one.names).flatten();
            if !names.any(|name| name.starts_with(&own)) {
                return Ok(());
            }
            until(end, service).await?;
        }
    }
}

/// Waits a moment, or fails after the time limit.
async fn until(end: Instant, what: &str) -> Result<(), Error> {
    if Instant::now() > end {
        return Err(format!("{what} is still in use").into());
    }
    tokio::time::sleep(PAUSE).await;
    Ok(())
}

/// Whether the object is gone: Docker refuses to remove a network while a replica still uses it.
fn released(answer: Result<(), DockerError>) -> Result<bool, Error> {
    match answer {
        Err(DockerError::DockerResponseServerError { message, .. })
            if ["in use", "active endpoints"]
                .iter()
                .any(|words| message.contains(words)) =>
        {
            Ok(false)
        }
        other => missing(other),
    }
}
