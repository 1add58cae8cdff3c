//! A container that `dev` started, to compare with what is wanted.

use crate::digest::Digest;
use crate::runtime::Launch;

/// What a container was started from. If any of it changes, the service restarts.
#[derive(PartialEq)]
pub struct Running {
    /// The launch.
    pub launch: Launch,
    /// The image id, if the image was built here.
    pub image: Option<Digest>,
    /// The digest of the mounted executable.
    pub binary: Option<Digest>,
}

impl Running {
    /// Whether only the executable differs.
    pub fn is_the_same_but_for_its_binary(&self, other: &Self) -> bool {
        self.launch == other.launch && self.image == other.image
    }
}
