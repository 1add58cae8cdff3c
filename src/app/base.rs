//! What images stand on: the choice, and what became of it.

use std::path::PathBuf;

use serde::Serialize;

use super::Facts;
use crate::oci::{History, RunConfig};
use crate::registry::Reference;
use crate::segment::Segment;

/// What images stand on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BaseChoice {
    /// One layer with what the binaries need.
    Auto,
    /// Nothing.
    Scratch,
    /// A root file system, tar or folder.
    Rootfs(PathBuf),
    /// A docker archive, OCI layout or OCI archive.
    Archive(PathBuf),
    /// An image in a registry.
    Image(Reference),
}

impl std::fmt::Display for BaseChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Scratch => f.write_str("scratch"),
            Self::Rootfs(path) => write!(f, "rootfs {}", path.display()),
            Self::Archive(path) => write!(f, "archive {}", path.display()),
            Self::Image(reference) => write!(f, "image {reference}"),
        }
    }
}

/// The shared lowest layers.
#[derive(Clone, Debug)]
pub struct Base {
    /// As the user wrote it.
    pub choice: BaseChoice,
    /// Lowest first.
    pub layers: Vec<Segment>,
    /// How a container of it runs, as far as it says.
    pub config: RunConfig,
    /// How its layers came to be; one entry for each.
    pub history: Vec<History>,
    /// The file system.
    pub facts: Facts,
    /// A name by which docker knows it, if there is one.
    pub reference: Option<String>,
}
