//! What `run` and `dev` started of an app, as other processes find it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;

use super::labels;
use super::output::Output;
use super::owner;
use super::started::Started;
use crate::config::schema;
use crate::diagnostic::Code;
use crate::engine::{Engine, FoundContainer, Interrupt};
use crate::shell::Shell;

/// How often to look whether a run has ended.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a run may take to stop when asked to.
const PATIENCE: Duration = Duration::from_secs(120);

/// The containers of an app on this machine.
pub struct FoundApp<'a> {
    engine: &'a Engine,
    name: &'a str,
    containers: Vec<FoundContainer>,
}

/// What is told of a container. Keys are only ever added, never changed.
#[derive(Debug, Serialize)]
pub struct ContainerState<'a> {
    service: &'a str,
    container: &'a str,
    image: &'a str,
    state: &'a str,
    status: &'a str,
    ports: &'a [String],
    /// Whether it was started by `run --detach`.
    detached: bool,
    /// The process that stops it when that ends.
    process: Option<u32>,
}

fn label<'c>(container: &'c FoundContainer, name: &str) -> &'c str {
    container.labels.get(name).map(String::as_str).unwrap_or_default()
}

/// What is told of one container.
fn state(container: &FoundContainer) -> ContainerState<'_> {
    let owner = label(container, owner::LABEL);
    ContainerState {
        service: label(container, labels::SERVICE),
        container: &container.name,
        image: &container.image,
        state: &container.state,
        status: &container.status,
        ports: &container.ports,
        detached: owner == owner::DETACHED,
        process: owner::process(owner),
    }
}

impl<'a> FoundApp<'a> {
    /// Finds the containers of the app `name`.
    ///
    /// # Errors
    /// When the engine stops answering.
    pub fn named(engine: &'a Engine, name: &'a str) -> Result<Self> {
        Ok(Self { engine, name, containers: engine.containers_where(labels::APP, name)? })
    }

    /// The state of each container.
    pub fn states(&self) -> Vec<ContainerState<'_>> {
        self.containers.iter().map(state).collect()
    }

    /// The containers of these services, or of all.
    ///
    /// # Errors
    /// When nothing of the app, or no such service, was started.
    fn of(&self, services: &[String]) -> Result<Vec<&FoundContainer>> {
        if self.containers.is_empty() {
            bail!("no container of `{}` was found\nhelp: start the app with `cargo appbundle run --detach`", self.name);
        }
        let known: Vec<&str> = self.containers.iter().map(|container| label(container, labels::SERVICE)).collect();
        if let Some(unknown) = services.iter().find(|name| !known.contains(&name.as_str())) {
            let near = schema::did_you_mean(unknown, &known);
            bail!(Code::UnknownService.error(format!("no container of the service `{unknown}` was found{near}")));
        }
        let wanted = |container: &&FoundContainer| {
            services.is_empty() || services.iter().any(|name| name == label(container, labels::SERVICE))
        };
        Ok(self.containers.iter().filter(wanted).collect())
    }

    /// The newest container of a service, one that runs if there is any.
    ///
    /// # Errors
    /// When there is none.
    pub fn newest(&self, service: &str) -> Result<&FoundContainer> {
        let containers = self.of(&[service.to_owned()])?;
        let running = containers.iter().rfind(|container| container.state == "running");
        running.or(containers.last()).copied().context("it has no container")
    }

    /// Prints what these services have written, or all: the last `tail` lines of each, and with `follow` what they write until they
    /// end.
    ///
    /// # Errors
    /// When there is no such service, or the engine stops answering.
    pub fn logs(&self, services: &[String], follow: bool, tail: Option<usize>, shell: &Shell) -> Result<()> {
        let containers = self.of(services)?;
        let names: Vec<&str> = containers.iter().map(|container| label(container, labels::SERVICE)).collect();
        let output = Output::new(&names, shell);
        let one = |container: &FoundContainer| {
            let mut lines = output.of(label(container, labels::SERVICE));
            self.engine.again()?.output(&container.id, follow, tail, |bytes, _| lines.write(bytes))
        };
        if !follow {
            return containers.into_iter().try_for_each(one);
        }
        std::thread::scope(|scope| {
            let threads: Vec<_> = containers.into_iter().map(|container| scope.spawn(|| one(container))).collect();
            let joined = threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            joined.collect::<Vec<_>>().into_iter().collect()
        })
    }

    /// Stops and removes all containers and their networks. A `run` or `dev` that still attends to them is asked to do so.
    ///
    /// # Errors
    /// When something cannot be stopped.
    pub fn stop(&self, interrupt: &Interrupt, shell: &Shell) -> Result<()> {
        let mut runs: BTreeMap<&str, Vec<&FoundContainer>> = BTreeMap::new();
        for container in &self.containers {
            runs.entry(label(container, labels::RUN)).or_default().push(container);
        }
        if runs.is_empty() {
            shell.status("Stopped", format_args!("nothing: no container of {} was found", self.name));
        }
        for (run, containers) in runs {
            match containers.iter().find_map(|container| owner::process(label(container, owner::LABEL))) {
                Some(process) => self.ask(process, run, shell)?,
                None => {
                    let names: Vec<&str> = containers.iter().map(|container| label(container, labels::SERVICE)).collect();
                    let output = Output::new(&names, shell);
                    let native = BTreeMap::new();
                    let mut started = Started::new(self.engine, self.name, &native, &output, interrupt, shell);
                    started.adopt(run, &containers)?;
                    started.stop()?;
                }
            }
        }
        Ok(())
    }

    /// Sends SIGINT to the process that attends to a run, and waits until the run is gone.
    fn ask(&self, process: u32, run: &str, shell: &Shell) -> Result<()> {
        shell.status("Stopping", format_args!("{run}, by its process {process}"));
        let id = i32::try_from(process).ok().and_then(Pid::from_raw).context("it has no process id")?;
        kill_process(id, Signal::INT).with_context(|| format!("failed to signal the process {process}"))?;
        let end = Instant::now() + PATIENCE;
        while !self.engine.containers_where(labels::RUN, run)?.is_empty() {
            if Instant::now() > end {
                bail!("the process {process} has not stopped `{run}` after {} s", PATIENCE.as_secs());
            }
            std::thread::sleep(PAUSE);
        }
        shell.status("Stopped", run);
        Ok(())
    }
}

/// Formats the states of containers as a table.
pub fn table(states: &[ContainerState<'_>]) -> String {
    let mut rows = vec![["SERVICE", "STATE", "PORTS", "STARTED BY"].map(str::to_owned)];
    rows.extend(states.iter().map(|state| {
        let by = match state.process {
            _ if state.detached => "run --detach".to_owned(),
            Some(process) => format!("process {process}"),
            None => "a process that has ended, or of another machine".to_owned(),
        };
        [state.service.to_owned(), state.status.to_owned(), state.ports.join(", "), by]
    }));
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or_default();
    let widths = [width(0), width(1), width(2)];
    let line = |[service, state, ports, by]: &[String; 4]| {
        let [a, b, c] = widths;
        format!("{service:a$}  {state:b$}  {ports:c$}  {by}\n")
    };
    rows.iter().map(line).collect()
}
