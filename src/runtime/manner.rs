//! How strict a verb is with its containers.

use std::time::Duration;

/// How strict a verb is with its containers.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// How long a container may take to end after SIGTERM.
    pub grace: Grace,
    /// Whether the others keep running when one fails.
    pub lenient: bool,
    /// How long after its start to warn about a container that is not healthy; `None` never warns.
    pub warn_after: Option<Duration>,
}

/// How long a container may take to end after SIGTERM.
#[derive(Clone, Copy, Debug)]
pub enum Grace {
    /// Its own `stop-grace-period`, or this long if it has none.
    Own(Duration),
    /// Always this long, because losing its last work does no harm.
    Fixed(Duration),
    /// None: it is killed at once.
    None,
}

impl Manner {
    /// The grace period of a container whose table says `own`.
    pub fn grace_of(&self, own: Option<Duration>) -> Duration {
        match self.grace {
            Grace::Own(usual) => own.unwrap_or(usual),
            Grace::Fixed(grace) => grace,
            Grace::None => Duration::ZERO,
        }
    }
}

impl Default for Manner {
    fn default() -> Self {
        Self { grace: Grace::Own(Duration::from_secs(10)), lenient: false, warn_after: None }
    }
}
