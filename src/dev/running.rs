//! What runs under `dev`.

use crate::digest::Digest;
use crate::runtime::Launch;

/// A container as it was started: another one is started when one of these changes.
#[derive(PartialEq)]
pub struct Running {
    /// How it was started.
    pub launch: Launch,
    /// The sum of the image, if it is ours.
    pub image: Option<Digest>,
    /// The sum of the executable that is mounted.
    pub binary: Option<Digest>,
}

impl Running {
    /// Whether a new executable is all that is different.
    pub fn is_the_same_but_for_its_binary(&self, other: &Self) -> bool {
        self.launch == other.launch && self.image == other.image
    }
}
