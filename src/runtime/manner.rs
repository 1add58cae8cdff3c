//! What containers of one verb are allowed.

use std::time::Duration;

/// What containers of one verb are allowed.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// How long one has to end once it is asked to.
    pub grace: Grace,
    /// Whether the others go on when one fails.
    pub lenient: bool,
    /// How long after its start a container that is not healthy is warned about; `None` for never.
    pub warn_after: Option<Duration>,
}

/// How long a container has to end once it is asked to.
#[derive(Clone, Copy, Debug)]
pub enum Grace {
    /// As long as its own `stop-grace-period` says, else this long.
    Own(Duration),
    /// This long, whatever its table says: its last work does not matter.
    Fixed(Duration),
    /// It is killed without being asked.
    None,
}

impl Manner {
    /// How long a container has whose table says `own`.
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
