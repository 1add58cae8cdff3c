//! How often a deployment polls.

use std::time::Duration;

/// How often the swarm's state is polled.
pub const PAUSE: Duration = Duration::from_millis(300);
