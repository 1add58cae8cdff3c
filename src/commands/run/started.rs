//! What runs, from the first container to the last that is removed.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::health;
use super::launch::{Ask, Check, Launch};
use super::output::Output;
use crate::app::VolumeSource;
use crate::engine::{ContainerSpec, Engine, Interrupt, Network, Published, State};
use crate::shell::Shell;

/// How long a service has to end once it is asked to.
const GRACE: Duration = Duration::from_secs(10);

/// How often is looked.
const PAUSE: Duration = Duration::from_millis(150);

/// The app's containers, in the order in which they were started.
pub struct Started<'a> {
    engine: &'a Engine,
    app: &'a str,
    name: String,
    foreign: &'a BTreeMap<String, String>,
    output: &'a Output,
    interrupt: &'a Interrupt,
    shell: &'a Shell,
    network: bool,
    containers: Vec<Container>,
    followers: Vec<JoinHandle<()>>,
}

struct Container {
    service: String,
    name: String,
    image: String,
    check: Option<Check>,
    host_network: bool,
    well: bool,
    ended: bool,
}

impl<'a> Started<'a> {
    /// Nothing runs yet. `foreign` holds the platforms of images that are not for the engine's own.
    pub fn new(
        engine: &'a Engine,
        app: &'a str,
        foreign: &'a BTreeMap<String, String>,
        output: &'a Output,
        interrupt: &'a Interrupt,
        shell: &'a Shell,
    ) -> Result<Self> {
        let (containers, followers) = (Vec::new(), Vec::new());
        let name = super::run_name(app);
        Ok(Self { engine, app, name, foreign, output, interrupt, shell, network: false, containers, followers })
    }

    /// Starts all in order, and waits until they have ended, one fails, or the user wishes to stop.
    pub fn all(&mut self, launches: &[Launch], timeout: Duration) -> Result<()> {
        self.engine.create_network(&self.name, &self.labels())?;
        self.network = true;
        for launch in launches {
            self.wait_for(&launch.after, timeout)?;
            if self.interrupt.count() > 0 {
                return Ok(());
            }
            self.start(launch)?;
        }
        self.wait_for(&launches.iter().map(|launch| launch.name.clone()).collect::<Vec<_>>(), timeout)?;
        if self.interrupt.count() == 0 {
            self.shell.status("Running", format_args!("{} services; Ctrl-C stops them", launches.len()));
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
        BTreeMap::from([("io.github.cargo-appbundle.run".to_owned(), self.name.clone())])
    }

    fn start(&mut self, launch: &Launch) -> Result<()> {
        let spec = self.spec(launch);
        self.shell.status("Starting", &launch.name);
        self.engine.create(&spec)?;
        self.containers.push(Container {
            service: launch.name.clone(),
            name: spec.name.clone(),
            image: launch.image.clone(),
            check: launch.check.clone(),
            host_network: spec.network == Network::Mode("host".into()),
            well: false,
            ended: false,
        });
        self.engine.start(&spec.name)?;
        let (engine, mut lines) = (self.engine.again()?, self.output.of(&launch.name));
        self.followers.push(std::thread::spawn(move || {
            // An engine that goes away is noticed by who waits for the container.
            let _ = engine.follow(&spec.name, |bytes, _| lines.write(bytes));
        }));
        Ok(())
    }

    fn spec(&self, launch: &Launch) -> ContainerSpec {
        let mut published: Vec<Published> = Vec::new();
        for port in launch.ports.iter().filter(|port| port.host.is_some()) {
            let address = port.host.as_deref().and_then(|host| host.rsplit_once(':')).map(|(address, _)| address.to_owned());
            published.push(Published { port: port.exposed(), address: address.unwrap_or_default(), at: port.host_number() });
        }
        if let Some(Check { ask: Ask::Http(_, port), .. }) = &launch.check {
            let port = format!("{port}/tcp");
            if !published.iter().any(|other| other.port == port) {
                // The check comes from outside the container: an image need not have a program that asks.
                let near = self.engine.endpoint().host() == "127.0.0.1";
                published.push(Published { port, address: if near { "127.0.0.1".into() } else { String::new() }, at: None });
            }
        }
        let network = match launch.network_mode.as_deref() {
            None | Some("bridge" | "default") => Network::Named(self.name.clone(), launch.aliases.clone()),
            Some(mode) => Network::Mode(mode.to_owned()),
        };
        if matches!(network, Network::Mode(_)) {
            published.clear();
        }
        let binds = launch.volumes.iter().map(|volume| {
            let source = match &volume.source {
                VolumeSource::Named(name) => format!("{}_{name}", self.app),
                VolumeSource::Host(path) => path.clone(),
            };
            format!("{source}:{}{}", volume.target, if volume.read_only { ":ro" } else { "" })
        });
        let mut labels = launch.labels.clone();
        labels.extend(self.labels());
        ContainerSpec {
            name: format!("{}-{}", self.name, launch.name),
            image: launch.image.clone(),
            platform: self.foreign.get(&launch.image).cloned(),
            entrypoint: launch.entrypoint.clone(),
            command: launch.command.clone(),
            environment: launch.environment.iter().map(|(name, value)| format!("{name}={value}")).collect(),
            user: launch.user.clone(),
            workdir: launch.workdir.clone(),
            labels,
            published,
            binds: binds.collect(),
            devices: launch.devices.clone(),
            privileged: launch.privileged,
            network,
        }
    }

    /// Waits until these services are well: their check says so, or they run and have none, or have done what they had to do.
    fn wait_for(&mut self, services: &[String], timeout: Duration) -> Result<()> {
        let end = Instant::now() + timeout;
        loop {
            self.look()?;
            let wanted = |container: &&Container| services.contains(&container.service) && !container.well;
            let open: Vec<String> = self.containers.iter().filter(wanted).map(|container| container.service.clone()).collect();
            if open.is_empty() || self.interrupt.count() > 0 {
                return Ok(());
            }
            if Instant::now() > end {
                let asked = self.containers.iter().find(|container| container.service == open[0]).and_then(|c| c.check.as_ref());
                let asked = asked.map(|check| match &check.ask {
                    Ask::Http(path, port) => format!("`{path}` at port {port} does not answer with 2xx"),
                    Ask::Command(words) => format!("`{}` does not end with 0", words.join(" ")),
                });
                bail!(
                    "the service `{}` did not become well within {} seconds: {}\nhelp: give it more time with `--timeout SECONDS`",
                    open.join("`, `"),
                    timeout.as_secs(),
                    asked.unwrap_or_default()
                );
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Looks at all; says whether all have ended.
    fn look(&mut self) -> Result<bool> {
        for container in self.containers.iter_mut().filter(|container| !container.ended) {
            let state = self.engine.state(&container.name)?;
            if !state.running {
                container.ended = true;
                if self.interrupt.count() == 0 {
                    Self::ended(container, &state, self.foreign)?;
                }
                container.well = true;
                self.shell.status("Ended", &container.service);
            } else if !container.well {
                container.well = match &container.check {
                    None => true,
                    Some(check) => health::is_well(self.engine, &container.name, &state, check, container.host_network)?,
                };
                if container.well && container.check.is_some() {
                    self.shell.status("Healthy", &container.service);
                }
            }
        }
        Ok(self.containers.iter().all(|container| container.ended))
    }

    fn ended(container: &Container, state: &State, foreign: &BTreeMap<String, String>) -> Result<()> {
        if state.exit_code == 0 {
            return Ok(());
        }
        let help = match foreign.get(&container.image) {
            Some(platform) => format!(
                "\nhelp: its image is for {platform}: to run that here, `sudo apt install qemu-user-static binfmt-support`"
            ),
            None => String::new(),
        };
        bail!("the service `{}` ended with exit code {}{help}", container.service, state.exit_code);
    }

    /// Stops all in reverse order and removes them and their network.
    pub fn stop(&mut self) -> Result<()> {
        let wishes = self.interrupt.count();
        let mut faults = Vec::new();
        for container in self.containers.iter().rev() {
            if !container.ended {
                self.shell.status("Stopping", &container.service);
                let stopped = self.end(&container.name, wishes);
                faults.extend(stopped.err());
            }
        }
        // What they wrote last is shown before they are gone; followers end with their containers.
        let patience = Instant::now() + Duration::from_secs(3);
        while faults.is_empty() && self.followers.iter().any(|follower| !follower.is_finished()) && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(20));
        }
        for container in self.containers.iter().rev() {
            faults.extend(self.engine.remove(&container.name).err());
        }
        if self.network {
            faults.extend(self.engine.remove_network(&self.name).err());
        }
        let seen: BTreeSet<&String> = self.containers.iter().map(|container| &container.service).collect();
        if faults.is_empty() {
            self.shell.status("Removed", format_args!("{} containers and their network", seen.len()));
        }
        faults.into_iter().next().map_or(Ok(()), Err)
    }

    /// Asks a container to end; kills it when it does not, or when the user wishes so a second time.
    fn end(&self, container: &str, wishes: usize) -> Result<()> {
        if !self.engine.state(container)?.running {
            return Ok(());
        }
        self.engine.signal(container, "SIGTERM")?;
        let end = Instant::now() + GRACE;
        while Instant::now() < end && self.interrupt.count() <= wishes.max(1) {
            if !self.engine.state(container)?.running {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self.shell.warning(format_args!("`{container}` does not end on SIGTERM and is killed"));
        self.engine.signal(container, "SIGKILL")
    }
}
