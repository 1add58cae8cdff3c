//! The containers of one run, from the first start until all are removed.

mod adopt;
mod again;
mod stop;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::container::{Down, LiveContainer};
use super::health;
use super::labels;
use super::launch::Launch;
use super::manner::Manner;
use super::new;
use super::output::Output;
use super::owner;
use crate::diagnostic::Code;
use crate::engine::{Engine, Interrupt};
use crate::shell::{Shell, count};

/// How often containers are polled.
const PAUSE: Duration = Duration::from_millis(60);

/// The containers of one run, in the order in which they were started.
pub struct Started<'a> {
    engine: &'a Engine,
    app: &'a str,
    name: String,
    foreign: &'a BTreeMap<String, String>,
    output: &'a Output,
    interrupt: &'a Interrupt,
    shell: &'a Shell,
    manner: Manner,
    detached: bool,
    network: bool,
    containers: Vec<LiveContainer>,
}

impl<'a> Started<'a> {
    /// A run without containers. `foreign` maps images for another platform than the engine's to that platform.
    pub fn new(
        engine: &'a Engine,
        app: &'a str,
        foreign: &'a BTreeMap<String, String>,
        output: &'a Output,
        interrupt: &'a Interrupt,
        shell: &'a Shell,
    ) -> Self {
        let (containers, manner) = (Vec::new(), Manner::default());
        let name = owner::run_name(app);
        Self { engine, app, name, foreign, output, interrupt, shell, manner, detached: false, network: false, containers }
    }

    /// Sets how strict to be with the containers.
    pub fn with(self, manner: Manner) -> Self {
        Self { manner, ..self }
    }

    /// Lets the containers outlive this process.
    pub fn detached(self) -> Self {
        Self { detached: true, ..self }
    }

    /// Creates the network in which the containers find each other.
    pub fn connect(&mut self) -> Result<()> {
        self.engine.create_network(&self.name, &self.labels())?;
        self.network = true;
        Ok(())
    }

    /// Starts all in order, and waits until they are healthy, or the user interrupts.
    pub fn up(&mut self, launches: &[Launch], timeout: Duration) -> Result<()> {
        self.connect()?;
        for launch in launches {
            self.wait_for(&launch.after, timeout)?;
            if self.interrupt.count() > 0 {
                return Ok(());
            }
            self.start(launch)?;
        }
        self.wait_for(&launches.iter().map(|launch| launch.name.clone()).collect::<Vec<_>>(), timeout)?;
        if self.interrupt.count() == 0 {
            for launch in launches.iter().filter(|launch| !launch.addresses().is_empty()) {
                self.shell.status("Serving", format_args!("{} at {}", launch.name, launch.addresses().join(", ")));
            }
        }
        Ok(())
    }

    /// Waits until all have ended, one fails, or the user interrupts.
    pub fn attend(&mut self) -> Result<()> {
        if self.interrupt.count() == 0 {
            self.shell.status("Running", format_args!("{}; Ctrl-C stops them", count(self.containers.len(), "service")));
        }
        while self.interrupt.count() == 0 {
            if self.look()? {
                return Ok(());
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    fn labels(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            (labels::RUN.to_owned(), self.name.clone()),
            (labels::APP.to_owned(), self.app.to_owned()),
            (owner::LABEL.to_owned(), if self.detached { owner::DETACHED.to_owned() } else { owner::of_this_process() }),
        ])
    }

    /// Starts one more container.
    pub fn start(&mut self, launch: &Launch) -> Result<()> {
        self.shell.status("Starting", &launch.name);
        self.start_quietly(launch)
    }

    /// Replaces a service's container with a new one.
    pub fn replace(&mut self, launch: &Launch) -> Result<()> {
        let at = self.containers.iter().position(|container| container.service == launch.name);
        self.end_one(&launch.name)?;
        self.start_quietly(launch)?;
        if let Some(at) = at {
            self.containers[at..].rotate_right(1);
        }
        Ok(())
    }

    /// Stops and removes a service's container, if it exists.
    pub fn end_one(&mut self, service: &str) -> Result<()> {
        let Some(at) = self.containers.iter().position(|container| container.service == service) else { return Ok(()) };
        let container = &self.containers[at];
        if !container.ended {
            self.end(container)?;
        }
        self.engine.remove(&container.name)?;
        self.containers.remove(at);
        Ok(())
    }

    /// The services whose program crashed or whose container was removed, and which were not started again.
    pub fn down(&self) -> impl Iterator<Item = (&str, Down)> {
        self.containers
            .iter()
            .filter_map(|container| Some((container.service.as_str(), container.down.filter(|_| container.ended)?)))
    }

    /// Whether the user has interrupted.
    pub fn is_interrupted(&self) -> bool {
        self.interrupt.count() > 0
    }

    /// The ports of this machine at which a service is reached, by its own port and protocol, such as `80/tcp`.
    pub fn ports(&self, service: &str) -> Result<BTreeMap<String, u16>> {
        let found = self.containers.iter().find(|container| container.service == service);
        found.map_or_else(|| Ok(BTreeMap::new()), |container| Ok(self.engine.state(&container.name)?.unwrap_or_default().ports))
    }

    fn start_quietly(&mut self, launch: &Launch) -> Result<()> {
        let image = launch.container.image.to_string();
        let mut new = new::container(launch, self.engine, self.app, &self.name);
        new.platform = self.foreign.get(&image).cloned();
        new.labels = self.labels();
        new.labels.extend(labels::of(launch));
        self.engine.create(&new)?;
        self.containers.push(LiveContainer {
            service: launch.name.clone(),
            after: launch.after.clone(),
            name: new.name.clone(),
            image,
            health: launch.container.health.clone(),
            grace: health::duration(launch.container.stop_grace_period.as_deref()),
            dependency: launch.dependency,
            host_network: launch.container.is_on_host(),
            well: false,
            answer: None,
            since: Instant::now(),
            told: false,
            ended: false,
            down: None,
            shown: Arc::default(),
            follower: None,
        });
        let at = self.containers.len() - 1;
        if let Err(error) = self.engine.start(&new.name) {
            // So `look` does not report it as ended.
            self.containers[at].ended = true;
            return Err(error);
        }
        self.follow(at)
    }

    /// Shows what a container writes, except what was already shown.
    fn follow(&mut self, at: usize) -> Result<()> {
        let (engine, container) = (self.engine.again()?, &mut self.containers[at]);
        let (name, shown, mut lines) = (container.name.clone(), Arc::clone(&container.shown), self.output.of(&container.service));
        let mut skip = shown.load(Ordering::Relaxed);
        container.follower = Some(std::thread::spawn(move || {
            // If the engine stops answering, polling the container reports it.
            let _ = engine.follow(&name, |bytes, _| {
                let old = skip.min(bytes.len());
                skip -= old;
                shown.fetch_add(bytes.len() - old, Ordering::Relaxed);
                lines.write(&bytes[old..]);
            });
        }));
        Ok(())
    }

    /// Waits until these services are healthy: their health check passes, they run without one, or they ended with exit code 0.
    pub fn wait_for(&mut self, services: &[String], timeout: Duration) -> Result<()> {
        let end = Instant::now() + timeout;
        loop {
            self.look()?;
            let wanted = |container: &&LiveContainer| services.contains(&container.service) && !container.well;
            let open: Vec<String> = self.containers.iter().filter(wanted).map(|container| container.service.clone()).collect();
            if open.is_empty() || self.interrupt.count() > 0 {
                return Ok(());
            }
            if Instant::now() > end {
                self.containers
                    .iter_mut()
                    .filter(|container| open.contains(&container.service))
                    .for_each(|late| late.told = true);
                let Some(first) = self.containers.iter().find(|container| container.service == open[0]) else { continue };
                bail!(Code::ServiceUnhealthy.error(format!(
                    "the {} `{}` is not healthy after {} s: {}\nhelp: {}",
                    first.what(),
                    open.join("`, `"),
                    timeout.as_secs(),
                    first.answer.as_deref().unwrap_or_default(),
                    match first.dependency {
                        true => "check its `healthcheck`, or allow more time with `wait = SECONDS` in its table",
                        false => "check its `healthcheck`, or allow more time with `--timeout SECONDS`",
                    }
                )));
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Polls all containers once; returns whether all have ended.
    pub fn look(&mut self) -> Result<bool> {
        for container in self.containers.iter_mut().filter(|container| !container.ended) {
            let state = self.engine.state(&container.name)?;
            let running = state.as_ref().filter(|state| state.running);
            let Some(state) = running else {
                container.ended = true;
                container.well = true;
                let fault = container.ending(state.as_ref(), self.foreign);
                container.down = match (&fault, state) {
                    (Ok(()), _) => None,
                    (_, Some(_)) => Some(Down::Crashed),
                    (_, None) => Some(Down::Removed),
                };
                match fault.err().filter(|_| self.interrupt.count() == 0) {
                    None => self.shell.status("Ended", &container.service),
                    Some(fault) if self.manner.lenient => self.shell.warning(fault),
                    Some(fault) => return Err(fault),
                }
                continue;
            };
            if !container.well {
                container.answer = match &container.health {
                    None => None,
                    Some(health) => health::check(self.engine, &container.name, state, health, container.host_network)?.err(),
                };
                container.well = container.answer.is_none();
                if let Some(late) = container.late(self.manner.warn_after) {
                    self.shell.warning(late);
                }
                if container.well && container.health.is_some() {
                    self.shell.status("Healthy", &container.service);
                }
            }
        }
        Ok(self.containers.iter().all(|container| container.ended))
    }
}
