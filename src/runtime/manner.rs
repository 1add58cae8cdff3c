//! What containers of one verb are allowed.

use std::time::Duration;

/// What containers of one verb are allowed.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// How long one has to end once it is asked to; zero to kill it without being asked.
    pub grace: Duration,
    /// Whether the others go on when one fails.
    pub lenient: bool,
}

impl Default for Manner {
    fn default() -> Self {
        Self { grace: Duration::from_secs(10), lenient: false }
    }
}
