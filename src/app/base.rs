//! What images stand on: the choice, and what became of it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
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
    /// What an engine makes of a Dockerfile.
    Dockerfile(Dockerfile),
    /// An image in a registry.
    Image(Reference),
    /// An image that an engine has.
    Daemon(String),
}

/// A Dockerfile of the user's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Dockerfile {
    /// Where it lies, absolute.
    pub path: PathBuf,
    /// As the user wrote it.
    pub written: String,
    /// The folder that it copies from, absolute.
    pub context: PathBuf,
    /// Values for its `ARG`s.
    pub args: BTreeMap<String, String>,
    /// The stage to stop at.
    pub target: Option<String>,
}

impl std::fmt::Display for BaseChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Scratch => f.write_str("scratch"),
            Self::Rootfs(path) => write!(f, "rootfs {}", path.display()),
            Self::Archive(path) => write!(f, "archive {}", path.display()),
            Self::Dockerfile(source) => write!(f, "dockerfile {}", source.written),
            Self::Daemon(name) => write!(f, "image docker-daemon:{name}"),
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

/// The bases of an app, by what was chosen.
#[derive(Clone, Debug, Default)]
pub struct Bases(BTreeMap<BaseChoice, Base>);

impl Bases {
    /// Adds a base.
    pub fn insert(&mut self, choice: BaseChoice, base: Base) {
        self.0.insert(choice, base);
    }

    /// The base of a choice.
    ///
    /// # Errors
    /// When it was not read.
    pub fn get(&self, choice: &BaseChoice) -> Result<&Base> {
        self.0.get(choice).with_context(|| format!("the base `{choice}` was not read"))
    }

    /// All of them, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = &Base> {
        self.0.values()
    }
}
