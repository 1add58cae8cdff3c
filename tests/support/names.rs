//! Names of containers, which an engine forgets when it leaves a swarm: Docker then clears the names of all networks, also of those
//! that have nothing to do with the swarm (libnetwork, `cleanupServiceDiscovery`). So whoever uses containers holds a lock that
//! whoever leaves a swarm waits for.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::fs::File;
use std::sync::OnceLock;

static LOCK: OnceLock<File> = OnceLock::new();

fn lock() -> &'static File {
    LOCK.get_or_init(|| File::create(std::env::temp_dir().join("cargo-appbundle-tests.lock")).expect("a lock file"))
}

/// Whether this process uses containers.
pub fn are_kept() -> bool {
    LOCK.get().is_some()
}

/// Keeps names until this process ends.
pub fn keep() {
    lock().lock_shared().expect("a lock");
}

/// Does what forgets names, once nobody else needs them.
pub fn forget(leave: impl FnOnce()) {
    lock().unlock().expect("a lock");
    lock().lock().expect("a lock");
    leave();
    lock().unlock().expect("a lock");
}
