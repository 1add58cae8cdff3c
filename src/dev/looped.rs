//! The loop of `dev`: build, restart what changed, wait for the next change.

mod order;
mod revive;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::control::Control;
use super::inside::Inside;
use super::launched::{in_dev, of_services, upstream_in_dev};
use super::prepared::{self, Prepared, Ready};
use super::revival::Revivals;
use super::running::Running;
use super::watch::Watch;
use crate::config::lockfile;
use crate::engine::{Engine, Interrupt};
use crate::pipeline::{self, Options, Session};
use crate::runtime::ports::ChosenPorts;
use crate::runtime::{Started, dependency};
use crate::shell::{Shell, count};

/// How often to check for changes and interrupts.
const PAUSE: Duration = Duration::from_millis(20);

/// How often to poll the containers.
const LOOK: Duration = Duration::from_millis(400);

/// How long to wait before trying again to start what could not be started: at first, and at most.
const AGAIN: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(30));

/// The state of the loop.
pub struct Loop<'a, 's> {
    /// Options from the command line.
    pub options: &'a Options,
    /// How long to wait for each service to become healthy.
    pub timeout: Duration,
    /// The engine that runs the containers.
    pub engine: &'a Engine,
    /// The running containers.
    pub started: &'a mut Started<'s>,
    /// The files mounted into the containers.
    pub inside: &'a mut Inside,
    /// The ports that it publishes.
    pub ports: ChosenPorts,
    /// When to start services again that are down.
    pub revivals: Revivals,
    /// Whether the user has interrupted.
    pub interrupt: &'a Interrupt,
    /// Where messages go.
    pub shell: &'a Shell,
}

impl Loop<'_, '_> {
    /// Starts all services, then restarts those that change, until the user interrupts.
    ///
    /// # Errors
    /// When the engine stops answering.
    pub fn run(&mut self, session: Session) -> Result<()> {
        self.started.connect()?;
        let mut watch = Watch::of(&session);
        let mut running: BTreeMap<String, Running> = BTreeMap::new();
        let mut prepared: Option<Prepared> = None;
        let mut open = Some(session);
        let mut changed: Vec<PathBuf> = Vec::new();
        let mut pause = AGAIN.0;
        // The error of the last try, told only once.
        let mut told = String::new();
        let mut failed = None;
        loop {
            let begin = Instant::now();
            let first = running.is_empty();
            let round = match failed.take() {
                Some(error) => Ok(Err(error)),
                None => self.round(open.take(), &mut prepared, &changed, &mut running),
            };
            if self.interrupt.count() > 0 {
                return Ok(());
            }
            watch.accept(&["Cargo.lock", lockfile::NAME]);
            let mut again = None;
            match round {
                Ok(Ok(names)) => {
                    pause = AGAIN.0;
                    told.clear();
                    self.tell(&names, first, begin.elapsed(), running.len());
                }
                Ok(Err(error)) => {
                    self.engine.again()?;
                    self.ports.forget(|name| running.contains_key(name));
                    let text = format!("{error:#}");
                    if told != text {
                        pause = AGAIN.0;
                        pipeline::report(&error, self.shell);
                        self.shell.status("Waiting", format_args!("{} s, then trying again until it starts", pause.as_secs()));
                        told = text;
                    }
                    again = Some(Instant::now() + pause);
                    pause = AGAIN.1.min(pause * 2);
                }
                Err(error) => {
                    // If the engine is gone, report that instead of its consequence.
                    self.engine.again()?;
                    pipeline::report(&error, self.shell);
                    let left = if first { "for changes; nothing runs yet" } else { "for changes; the old versions keep running" };
                    self.shell.status("Waiting", format_args!("{left}"));
                }
            }
            let mut looked = Instant::now();
            loop {
                if self.interrupt.count() > 0 {
                    return Ok(());
                }
                changed = watch.changed();
                if !changed.is_empty() || again.is_some_and(|again| Instant::now() > again) {
                    break;
                }
                if looked.elapsed() > LOOK {
                    failed = self.revive(&mut running)?.err();
                    if failed.is_some() {
                        break;
                    }
                    looked = Instant::now();
                }
                std::thread::sleep(PAUSE);
            }
        }
    }

    fn tell(&self, names: &[String], first: bool, took: Duration, all: usize) {
        if first {
            self.shell.status(
                "Running",
                format_args!("{}; edit a source file to restart its service, Ctrl-C stops them", count(all, "container")),
            );
        } else if names.is_empty() {
            self.shell.status("Fresh", "no executable changed; nothing restarted");
        } else {
            self.shell.status("Restarted", format_args!("{} in {:.2}s", names.join(", "), took.as_secs_f64()));
        }
    }

    /// Builds, and restarts what changed; returns the names of the started services, or why they could not be started.
    fn round(
        &mut self,
        session: Option<Session>,
        prepared: &mut Option<Prepared>,
        changed: &[PathBuf],
        running: &mut BTreeMap<String, Running>,
    ) -> Result<Result<Vec<String>>> {
        let below = |path: &Path| {
            let root = prepared.as_ref().map(|prepared| prepared.session.workspace.root.clone());
            root.and_then(|root| Some(path.strip_prefix(root).ok()?.to_owned())).unwrap_or_else(|| path.to_owned())
        };
        if let Some(path) = changed.first() {
            let more = if changed.len() > 1 { format!(" and {} more", changed.len() - 1) } else { String::new() };
            self.shell.status("Changed", format_args!("{}{more}", below(path).display()));
        }
        // Any file that is not Rust source may be packed into an image, or change how a service starts.
        let only_sources = changed.iter().all(|path| path.extension().is_some_and(|ending| ending == "rs"));
        let enough = match prepared {
            // A new try to start what could not be started.
            Some(_) if changed.is_empty() => true,
            Some(prepared) if only_sources => prepared.compile_again(self.options, self.shell)?,
            _ => false,
        };
        if !enough {
            let session = match session {
                Some(session) => session,
                None => Session::start(self.options, self.shell)?,
            };
            let compiled = prepared::compile(&session, self.options, self.shell)?;
            // Pulling or building bases can take long, so an interrupt must not wait for it.
            let (options, engine, shell) = (self.options.clone(), self.engine.again()?, self.shell.clone());
            let made = self.interrupt.unless_wished(move || Prepared::new(session, &compiled, &options, &engine, &shell));
            let Some(made) = made else { return Ok(Ok(Vec::new())) };
            *prepared = Some(made?);
        }
        match prepared {
            Some(prepared) => Ok(self.apply(prepared, running)),
            None => Ok(Ok(Vec::new())),
        }
    }

    /// Starts or restarts the containers that differ from what is wanted.
    fn apply(&mut self, prepared: &Prepared, running: &mut BTreeMap<String, Running>) -> Result<Vec<String>> {
        let plan = &prepared.session.plan;
        let (launches, notes) = prepared.launches()?;
        if running.is_empty() {
            self.shell.notes(notes, &plan.allow);
        }
        let mut names = Vec::new();
        let mut known: Vec<&str> = launches.iter().map(|launch| launch.name.as_str()).collect();
        let mut addresses = of_services(plan);
        let dependencies: BTreeMap<_, _> = plan.services.iter().flat_map(|service| service.dev.beside()).collect();
        known.extend(dependencies.keys().map(|name| name.as_str()));
        let gone: Vec<String> = running.keys().filter(|name| !known.contains(&name.as_str())).cloned().collect();
        for name in gone {
            self.shell.status("Stopping", &name);
            running.remove(&name);
            self.started.end_one(&name)?;
        }
        let offline = self.options.cargo.offline || self.options.cargo.frozen;
        for (name, dependency) in &dependencies {
            dependency::provide(self.engine, self.interrupt, name, dependency, offline, self.shell)?;
            if self.interrupt.count() > 0 {
                return Ok(names);
            }
            let mut launch = dependency::launch(name, dependency, true, &prepared.variables)?;
            self.ports.place(&mut [&mut launch], self.engine, self.shell);
            self.start(Running { launch, image: None, binary: None }, running, &mut names)?;
        }
        for (name, dependency) in &dependencies {
            dependency::wait(self.started, name, dependency)?;
            if self.interrupt.count() > 0 {
                return Ok(names);
            }
            addresses.extend(dependency::addresses(self.engine, self.started, name, dependency)?);
        }
        let mut wanted = Vec::new();
        for launch in launches {
            let Ready { unit, image } = prepared.ready(&launch.name)?;
            let launch = match unit {
                Some(unit) => in_dev(launch, plan, unit, &addresses, self.inside)?,
                None => upstream_in_dev(launch, plan),
            };
            wanted.push(Running { launch, image: Some(image), binary: unit.map(|unit| unit.binary.digest) });
        }
        self.ports.place(&mut wanted.iter_mut().map(|new| &mut new.launch).collect::<Vec<_>>(), self.engine, self.shell);
        let changed = |new: &&Running| {
            running.get(&new.launch.name).is_some_and(|old| old != *new && old.is_the_same_but_for_its_binary(new))
        };
        let restarted: Vec<String> = wanted.iter().filter(changed).map(|new| new.launch.name.clone()).collect();
        // Services that depend on no other restarting service start again without waiting for the rest to end.
        let to_start: Vec<&String> =
            wanted.iter().filter(|new| running.get(&new.launch.name) != Some(*new)).map(|new| &new.launch.name).collect();
        let free = |new: &&Running| !new.launch.after.iter().any(|other| to_start.contains(&other));
        let first: Vec<String> = wanted.iter().filter(changed).filter(free).map(|new| new.launch.name.clone()).collect();
        // Ending a container takes time, so all end at once, even though they start again in order. Services with a supervisor
        // keep their containers.
        let supervised = |name: &String| self.inside.control(name).is_some_and(Control::is_there);
        let slow: Vec<String> = restarted.iter().filter(|name| !supervised(name)).cloned().collect();
        let first: Vec<String> = first.into_iter().filter(|name| slow.contains(name)).collect();
        let started = self
            .started
            .end_all(&slow, &first)
            .and_then(|()| self.start_in_order(wanted, (&restarted, &first), running, &mut names));
        if started.is_err() {
            restarted.iter().for_each(|name| drop(running.remove(name)));
        }
        started.map(|()| names)
    }
}
