//! The decision: everything is settled here before anything is done.

mod agreement;
mod auterion;
mod base;
mod checks;
mod container;
mod deployment;
mod files;
mod image;
mod manifests;
mod names;
mod needs;
mod one_image;
mod order;
mod outputs;
mod paths;
mod registries;
mod report;
mod resolve;
mod routes;
mod select;
mod service;
mod stacks;
mod template;
mod volumes;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use crate::app::{Author, BaseChoice, Claim, Name, Package, Service, Stack, Swarm, Target, Version};
use crate::archive::gzip::Level;
use crate::registry::Access;

pub use crate::config::tables::{BuilderName as Builder, EngineName as Engine, FormatName as Format, LayoutName as Layout};
pub use image::PlannedImage;
pub use order::sort as launch_order;
pub use outputs::targets;
pub use resolve::{Request, resolve};
pub use select::{Choice, Reach, select};
pub use template::VERSION_MARK;

/// What a build is going to do. It never changes once it is made.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// The app's name.
    pub name: Name,
    /// The publisher.
    pub author: Option<Author>,
    /// Its version.
    pub version: Version,
    /// A target to compile for.
    pub target: Target,
    /// The profile.
    pub profile: String,
    /// The services, each after those that it depends on.
    pub services: Vec<Service>,
    /// What is written.
    pub formats: Vec<Format>,
    /// What only the `.auterionos` format needs.
    pub auterion: Option<Auterion>,
    /// Settings of volumes, by their names.
    pub volumes: BTreeMap<String, Claim>,
    /// The stacks, each after those in it; the last one is the outermost.
    pub stacks: Vec<Stack>,
    /// How services in a swarm are reached, and what they are told.
    pub swarm: Swarm,
    /// The image builder.
    pub engine: Engine,
    /// The compiler driver.
    pub builder: Builder,
    /// What images hold.
    pub layout: Layout,
    /// How registries may be reached.
    pub registries: Access,
    /// How hard it is compressed.
    pub compression: Level,
    /// Seconds since the epoch, for everything that has a time.
    pub epoch: u64,
    /// The text of the workspace's own `app.yml`, if it has one, with the version in it.
    #[serde(skip)]
    pub template: Option<String>,
    /// `settings.default.env` of the workspace.
    #[serde(skip)]
    pub settings: Vec<u8>,
    /// Folder of the root manifest.
    pub workspace: PathBuf,
    /// Where the outputs go.
    pub output: PathBuf,
    /// The OCI archive that this and the other targets share, where there are several.
    pub index: Option<PathBuf>,
    /// What the user should know of these decisions.
    pub notes: Vec<String>,
}

impl Plan {
    /// The services with what they are compiled from, in their order.
    pub fn packages(&self) -> impl Iterator<Item = (&Service, &Package)> {
        self.services.iter().filter_map(|service| Some((service, service.package()?)))
    }

    /// What images stand on, each choice once, in the order of the services.
    pub fn bases(&self) -> Vec<&BaseChoice> {
        let mut bases: Vec<&BaseChoice> = Vec::new();
        for (_, package) in self.packages() {
            if !bases.contains(&&package.base) {
                bases.push(&package.base);
            }
        }
        bases
    }

    /// `AUTHOR.NAME`, or the name alone.
    pub fn slug(&self) -> String {
        match &self.author {
            Some(author) => format!("{}.{}", author.as_str(), self.name),
            None => self.name.to_string(),
        }
    }

    /// The file that a format is written to.
    pub fn bundle_path(&self, format: Format) -> PathBuf {
        let simulated = self.auterion.as_ref().is_some_and(|a| a.device_types == ["simulation"]);
        let ending = match format {
            Format::Auterionos if simulated => "-simulation.auterionos",
            Format::Auterionos => ".auterionos",
            Format::Docker => ".docker.tar",
            Format::Oci => ".oci.tar",
        };
        self.output.join(format!("{}-{}{ending}", self.slug(), self.version))
    }
}

/// What only the `.auterionos` format needs (`docs/file-format.md`, section 4).
#[derive(Clone, Debug, Serialize)]
pub struct Auterion {
    /// 1 to 8.
    pub api_version: u8,
    /// As the author wrote it, always as a list.
    pub target_platform: Vec<String>,
    /// After alias mapping, each once.
    pub device_types: Vec<String>,
    /// `none` or `vN`.
    pub app_base: String,
    /// The keys of the app file that are passed on as they are.
    pub extra: serde_json::Map<String, serde_json::Value>,
    /// A piece of compose file, merged last.
    pub compose_override: serde_json::Map<String, serde_json::Value>,
}
