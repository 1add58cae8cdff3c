//! How patient a deployment is.

use std::time::Duration;

/// How often the swarm is asked how far it is.
pub const PAUSE: Duration = Duration::from_millis(300);
