//! One container that is to be started.

use crate::app::{Container, Port};

/// One container that is to be started.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Launch {
    /// Its name.
    pub name: String,
    /// Names by which others find it.
    pub aliases: Vec<String>,
    /// Services that have to be healthy before it starts.
    pub after: Vec<String>,
    /// How it runs; files of variables and secrets are among its variables.
    pub container: Container,
    /// Ports that get a free one of this machine.
    pub free: Vec<Port>,
    /// Whether it is what a service needs, and no service.
    pub dependency: bool,
}
