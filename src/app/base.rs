//! Bases of images: the user's choice, and the base that was read.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::Facts;
use crate::debian::Recipe;
use crate::oci::{History, RunConfig};
use crate::registry::Reference;
use crate::segment::Segment;

/// The user's choice of a base.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BaseChoice {
    /// One layer with the loader and libraries that the executables need.
    Auto,
    /// Empty.
    Scratch,
    /// A root file system: a tar or a folder.
    Rootfs(PathBuf),
    /// A docker archive, OCI layout or OCI archive.
    Archive(PathBuf),
    /// An image that an engine builds from a Dockerfile.
    Dockerfile(Dockerfile),
    /// An image in a registry.
    Image(Reference),
    /// An image that an engine has.
    Daemon(String),
    /// Packages of Debian or Ubuntu.
    Debian(Box<Recipe>),
}

/// A Dockerfile of the user's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Dockerfile {
    /// Absolute path.
    pub path: PathBuf,
    /// The path or name as the user wrote it.
    pub written: String,
    /// Absolute path of the build context.
    pub context: PathBuf,
    /// Build arguments.
    pub args: BTreeMap<String, String>,
    /// The stage to build.
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
            Self::Debian(recipe) => write!(f, "{recipe}"),
            Self::Image(reference) => write!(f, "image {reference}"),
        }
    }
}

/// A base that was read: the lowest layers of an image.
#[derive(Clone, Debug)]
pub struct Base {
    /// The user's choice.
    pub choice: BaseChoice,
    /// Layers, lowest first.
    pub layers: Vec<Segment>,
    /// The base's own run configuration.
    pub config: RunConfig,
    /// The history of its layers, one entry per layer.
    pub history: Vec<History>,
    /// The file system.
    pub facts: Facts,
    /// The name by which Docker can pull or use it, if it has one.
    pub reference: Option<String>,
    /// The image's configuration as it is written; `None` if it is no image.
    pub written: Option<String>,
}

/// The bases of an app, by the user's choice.
#[derive(Clone, Debug, Default)]
pub struct Bases(BTreeMap<BaseChoice, Base>);

impl Bases {
    /// Adds a base.
    pub fn insert(&mut self, choice: BaseChoice, base: Base) {
        self.0.insert(choice, base);
    }

    /// Returns the base for a choice.
    ///
    /// # Errors
    /// When it was not read.
    pub fn get(&self, choice: &BaseChoice) -> Result<&Base> {
        self.0.get(choice).with_context(|| format!("the base `{choice}` was not read"))
    }

    /// All bases, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = &Base> {
        self.0.values()
    }
}
