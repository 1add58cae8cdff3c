//! A container of a run, from its start to its end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::app::Health;
use crate::diagnostic::Code;
use crate::engine::State;

/// One that was started.
pub struct LiveContainer {
    /// The service.
    pub service: String,
    /// Its own name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// How to check that it is healthy.
    pub health: Option<Health>,
    /// How long it may take to end, if its table says so.
    pub grace: Option<Duration>,
    /// Whether it is on the host's network.
    pub host_network: bool,
    /// Whether it is no service, but something that one needs.
    pub dependency: bool,
    /// Whether it was seen to be healthy.
    pub well: bool,
    /// Why it was not, when it was last checked.
    pub answer: Option<String>,
    /// When its program was started.
    pub since: Instant,
    /// Whether the user was told that it is not healthy.
    pub told: bool,
    /// Whether it has ended.
    pub ended: bool,
    /// Bytes of its output that were shown.
    pub shown: Arc<AtomicUsize>,
    /// The thread that shows its output.
    pub follower: Option<JoinHandle<()>>,
}

impl LiveContainer {
    /// What to warn the user of, once: that it is not healthy, more than `after` past its start.
    pub fn late(&mut self, after: Option<Duration>) -> Option<String> {
        let after = after.filter(|after| !self.well && !self.told && self.since.elapsed() > *after)?;
        self.told = true;
        let answer = self.answer.as_deref().unwrap_or_default();
        Some(format!("the {} `{}` is not healthy after {} s: {answer}", self.what(), self.service, after.as_secs()))
    }

    /// The error that its end is, if it ended with a failure. `foreign` holds the platforms of images for another processor.
    ///
    /// # Errors
    /// When its exit code is not 0.
    pub fn ending(&self, state: &State, foreign: &BTreeMap<String, String>) -> Result<()> {
        if state.exit_code == 0 {
            return Ok(());
        }
        let help = match foreign.get(&self.image) {
            Some(platform) => format!(
                "\nhelp: to run its {platform} image on this machine, `sudo apt install qemu-user-static binfmt-support`"
            ),
            None => String::new(),
        };
        bail!(Code::ServiceEnded.error(format!(
            "the {} `{}` ended with exit code {}{help}",
            self.what(),
            self.service,
            state.exit_code
        )));
    }

    /// What it is called to the user.
    pub fn what(&self) -> &'static str {
        if self.dependency { "dependency" } else { "service" }
    }
}

/// Followers end with their containers.
pub fn await_followers(containers: &[&LiveContainer]) {
    let patience = Instant::now() + Duration::from_secs(3);
    let follows = |container: &&LiveContainer| container.follower.as_ref().is_some_and(|follower| !follower.is_finished());
    while containers.iter().any(follows) && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(10));
    }
}
