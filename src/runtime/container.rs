//! A container of a run, from its start to its end.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::app::Health;

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
    /// Whether it has ended.
    pub ended: bool,
    /// Bytes of its output that were shown.
    pub shown: Arc<AtomicUsize>,
    /// Who shows what it writes.
    pub follower: Option<JoinHandle<()>>,
}

impl LiveContainer {
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
