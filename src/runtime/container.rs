//! A started container, until it is removed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::app::Health;
use crate::diagnostic::Code;
use crate::engine::State;
use crate::os;

/// A started container.
pub struct LiveContainer {
    /// The service's name.
    pub service: String,
    /// Services that it depends on.
    pub after: Vec<String>,
    /// The container's name.
    pub name: String,
    /// The image's name.
    pub image: String,
    /// The health check, if it has one.
    pub health: Option<Health>,
    /// Its own `stop-grace-period`, if set.
    pub grace: Option<Duration>,
    /// Whether it uses the host's network.
    pub host_network: bool,
    /// Whether it is a dependency of a service rather than a service.
    pub dependency: bool,
    /// Whether it has been healthy.
    pub well: bool,
    /// Why the last health check failed.
    pub answer: Option<String>,
    /// When its program was last started.
    pub since: Instant,
    /// Whether the user was warned that it is not healthy.
    pub told: bool,
    /// Whether it has ended.
    pub ended: bool,
    /// Why it has ended, if it should not have.
    pub down: Option<Down>,
    /// How many bytes of its output were shown.
    pub shown: Arc<AtomicUsize>,
    /// The thread that shows its output.
    pub follower: Option<JoinHandle<()>>,
}

/// Why a container has ended that should not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Down {
    /// Its program ended with another exit code than 0.
    Crashed,
    /// Somebody removed it.
    Removed,
}

impl LiveContainer {
    /// The warning that it is still not healthy `after` this long; returned only once.
    pub fn late(&mut self, after: Option<Duration>) -> Option<String> {
        let after = after.filter(|after| !self.well && !self.told && self.since.elapsed() > *after)?;
        self.told = true;
        let answer = self.answer.as_deref().unwrap_or_default();
        Some(format!("the {} `{}` is not healthy after {} s: {answer}", self.what(), self.service, after.as_secs()))
    }

    /// Turns its exit code into a result; without a state, it was removed. `foreign` maps images for another processor to their platforms.
    ///
    /// # Errors
    /// When its exit code is not 0, or it was removed.
    pub fn ending(&self, state: Option<&State>, foreign: &BTreeMap<String, String>) -> Result<()> {
        let Some(state) = state else {
            bail!(Code::ServiceEnded.error(format!("the container of the {} `{}` was removed", self.what(), self.service)));
        };
        if state.exit_code == 0 {
            return Ok(());
        }
        // Where qemu runs such programs, that is not why it ended.
        let help = match foreign.get(&self.image).filter(|platform| !os::emulates(cpu_of(platform))) {
            Some(platform) => {
                format!("\nhelp: to run its {platform} image on this machine, `sudo apt install qemu-user-static binfmt-support`")
            }
            None => String::new(),
        };
        bail!(Code::ServiceEnded.error(format!(
            "the {} `{}` ended with exit code {}{help}",
            self.what(),
            self.service,
            state.exit_code
        )));
    }

    /// Whether it depends on `other`: as its table says, and as every service does on dependencies such as databases.
    pub fn needs(&self, other: &Self) -> bool {
        self.after.contains(&other.service) || (!self.dependency && other.dependency)
    }

    /// The word for it in messages.
    pub fn what(&self) -> &'static str {
        if self.dependency { "dependency" } else { "service" }
    }
}

/// The processor of a platform, as Linux names it.
fn cpu_of(platform: &str) -> &str {
    os::cpu(platform.split('/').nth(1).unwrap_or_default())
}

/// Waits up to 3 s for the threads that show output, which end with their containers.
pub fn await_followers(containers: &[&LiveContainer]) {
    let patience = Instant::now() + Duration::from_secs(3);
    let follows = |container: &&LiveContainer| container.follower.as_ref().is_some_and(|follower| !follower.is_finished());
    while containers.iter().any(follows) && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(10));
    }
}
