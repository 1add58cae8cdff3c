//! Waits until what was deployed runs.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::pause::PAUSE;
use crate::diagnostic::Code;
use crate::engine::{Engine, Replica, SwarmService};
use crate::shell::Shell;

/// A service of which this many new replicas failed will not run.
const FAILURES: usize = 4;

/// How many polls in a row must be good: an update starts a moment after the request.
const POLLS: usize = 4;

/// How many of the last output lines of a failing service are shown.
pub const LAST_WORDS: usize = 20;

/// The services and replicas of a stack before something is deployed.
pub struct Before<'a> {
    stack: &'a str,
    services: BTreeSet<String>,
    replicas: BTreeSet<String>,
}

/// Shows the last output of a service.
pub fn show(service: &str, lines: Result<Vec<String>>, shell: &Shell) {
    match lines {
        Ok(lines) => lines.iter().for_each(|line| shell.raw(&format!("{service} | {line}"))),
        Err(error) => shell.warning(format_args!("{error:#}")),
    }
}

impl<'a> Before<'a> {
    /// Takes note of what there is.
    pub fn of(engine: &Engine, stack: &'a str) -> Result<Self> {
        let services = engine.services(stack)?;
        let replicas = services.iter().flat_map(|service| &service.replicas).map(|replica| replica.id.clone()).collect();
        Ok(Self { stack, services: services.into_iter().map(|service| service.name).collect(), replicas })
    }

    /// Waits until all replicas of the services in `wave` run the newest version.
    ///
    /// # Errors
    /// When replicas keep failing, Docker gives an update up, or time is over. Shows the last output of a new replica.
    pub fn wait(&self, engine: &Engine, wave: &[String], timeout: Duration, shell: &Shell) -> Result<()> {
        let end = Instant::now() + timeout;
        let mut content = 0;
        while content < POLLS {
            std::thread::sleep(PAUSE);
            let services = engine.services(self.stack)?;
            let mut late = None;
            for name in wave {
                let full = format!("{}_{name}", self.stack);
                let Some(service) = services.iter().find(|service| service.name == full) else {
                    bail!("Docker did not create the service `{full}`");
                };
                let is_late = service.running < service.wanted || service.updating;
                let keeps_failing = is_late && self.failed(service).len() >= FAILURES;
                if service.paused || service.reverted || keeps_failing {
                    return Err(self.fault(engine, service, "keeps failing", shell));
                }
                late = late.or(is_late.then_some(service));
            }
            content = if late.is_none() { content + 1 } else { 0 };
            if let Some(service) = late.filter(|_| Instant::now() > end) {
                return Err(self.fault(engine, service, "did not start in time", shell));
            }
        }
        Ok(())
    }

    fn is_new(&self, replica: &Replica) -> bool {
        !self.replicas.contains(&replica.id)
    }

    fn failed<'s>(&self, service: &'s SwarmService) -> Vec<&'s Replica> {
        service.failed().into_iter().filter(|replica| self.is_new(replica)).collect()
    }

    /// The error that a service does not run, after the last output of the replica that tells most.
    fn fault(&self, engine: &Engine, service: &SwarmService, why: &str, shell: &Shell) -> anyhow::Error {
        let name = &service.name;
        let failed = self.failed(service).pop();
        let newest = service.replicas.iter().filter(|replica| self.is_new(replica)).max_by(|a, b| a.changed.cmp(&b.changed));
        let lines = match failed.or(newest) {
            Some(replica) => engine.last_words_of(replica, name, LAST_WORDS),
            None => Ok(Vec::new()),
        };
        show(name, lines, shell);
        let told = failed.and_then(Replica::told).map(|told| format!(": {told}")).unwrap_or_default();
        let what = if !self.services.contains(name) {
            format!("the service `{name}` {why}: {} of {} replicas{told}", service.running, service.wanted)
        } else {
            let new = service.replicas.iter().filter(|replica| replica.running && self.is_new(replica)).count();
            format!("the new version of the service `{name}` {why}: {new} of {} replicas{told}", service.wanted)
        };
        Code::ServiceUnhealthy.error(format!("{what}\nhelp: read its output with `docker service logs {name}`")).into()
    }
}
