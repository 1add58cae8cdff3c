//! The plan of a build: every decision is made here, before anything is compiled or written.

mod agreement;
mod auterion;
mod base;
mod checks;
mod compilation;
mod container;
mod created;
mod deployment;
mod features;
mod files;
mod identity;
mod image;
mod libraries;
mod licenses;
mod manifests;
mod names;
mod needs;
mod notes;
mod one_image;
mod order;
mod outputs;
mod paths;
mod probe;
mod registries;
mod report;
mod request;
mod resolve;
mod revision;
mod routes;
mod select;
mod service;
mod stacks;
mod template;
mod upstream;
mod variant;
mod volumes;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use crate::app::{Author, BaseChoice, Claim, Name, Package, Service, Stack, Swarm, Target, Version};
use crate::archive::gzip::Level;
use crate::diagnostic::{Code, Note};
use crate::registry::Access;

pub use crate::config::tables::{BuilderName as Builder, EngineName as Engine, FormatName as Format, LayoutName as Layout};
pub use base::BasePlace;
pub use compilation::{Compilation, Preparation};
pub use image::PlannedImage;
pub use order::sort as launch_order;
pub use outputs::{DEFAULT_TARGET, targets};
pub use probe::CanProbe;
pub use request::Request;
pub use resolve::resolve;
pub use select::{Choice, Reach, select};
pub use template::VERSION_MARK;

/// Everything that a build will do. A plan never changes.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// The app's name.
    pub name: Name,
    /// The publisher.
    pub author: Option<Author>,
    /// The variant; the name ends in its suffix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<Name>,
    /// Its version.
    pub version: Version,
    /// The target to compile for.
    pub target: Target,
    /// The profile.
    pub profile: String,
    /// The services; each comes after its dependencies.
    pub services: Vec<Service>,
    /// The formats to write.
    pub formats: Vec<Format>,
    /// Settings that only the `.auterionos` format needs.
    pub auterion: Option<Auterion>,
    /// Settings of volumes, by their names.
    pub volumes: BTreeMap<String, Claim>,
    /// The stacks; each comes after its inner stacks, so the last one is the outermost.
    pub stacks: Vec<Stack>,
    /// Settings for Docker Swarm.
    pub swarm: Swarm,
    /// The image builder.
    pub engine: Engine,
    /// The compiler driver.
    pub builder: Builder,
    /// What compiling needs beside Cargo.
    #[serde(skip_serializing_if = "Compilation::is_default")]
    pub compilation: Compilation,
    /// Whether each service has its own image.
    pub layout: Layout,
    /// How to reach registries.
    pub registries: Access,
    /// Compression level.
    pub compression: Level,
    /// Whether each executable carries the list of its crates.
    pub sbom: bool,
    /// Whether each image has the texts of its crates' licences.
    pub licenses: bool,
    /// The commit that images are labelled with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The timestamp of everything that is written, in seconds since the epoch.
    pub epoch: u64,
    /// The text of the workspace's own `app.yml`, if it has one, with the version filled in.
    #[serde(skip)]
    pub template: Option<String>,
    /// `settings.default.env` of the workspace.
    #[serde(skip)]
    pub settings: Vec<u8>,
    /// Folder of the root manifest.
    pub workspace: PathBuf,
    /// The folder of bundles.
    #[serde(skip)]
    pub bundles: PathBuf,
    /// The folder of all other outputs: that of bundles, or a variant's own.
    pub output: PathBuf,
    /// The OCI archive that all targets share, if there are several.
    pub index: Option<PathBuf>,
    /// Notes for the user about these decisions.
    pub notes: Vec<Note>,
    /// Where the manifests have each base.
    #[serde(skip)]
    pub base_places: BTreeMap<BaseChoice, BasePlace>,
    /// `allow`: the notes that are not shown.
    #[serde(skip)]
    pub allow: Vec<Code>,
}

impl Plan {
    /// The services that are compiled from packages, in order, each with its package.
    pub fn packages(&self) -> impl Iterator<Item = (&Service, &Package)> {
        self.services.iter().filter_map(|service| Some((service, service.package()?)))
    }

    /// The bases of all images, and the images that others made, without duplicates, in the order of the services.
    pub fn bases(&self) -> Vec<&BaseChoice> {
        let mut bases: Vec<&BaseChoice> = Vec::new();
        for base in self.services.iter().filter_map(Service::base) {
            if !bases.contains(&base) {
                bases.push(base);
            }
        }
        bases
    }

    /// Whether a build of it asks a container engine.
    pub fn needs_engine(&self) -> bool {
        let by_engine = |base: &BaseChoice| matches!(base, BaseChoice::Dockerfile(_) | BaseChoice::Daemon(_));
        self.engine == Engine::Docker || self.bases().into_iter().any(by_engine)
    }

    /// `AUTHOR.NAME`, or the name alone.
    pub fn slug(&self) -> String {
        match &self.author {
            Some(author) => format!("{}.{}", author.as_str(), self.name),
            None => self.name.to_string(),
        }
    }

    /// The folder of the profile, in which Cargo puts what it compiles.
    pub fn profile_folder(&self) -> &str {
        match self.profile.as_str() {
            "dev" | "test" => "debug",
            "bench" => "release",
            other => other,
        }
    }

    /// The folder of what was stripped from executables, `SERVICE.debug`.
    pub fn debug_folder(&self) -> PathBuf {
        self.output.join("debug")
    }

    /// The path of the bundle in a format.
    pub fn bundle_path(&self, format: Format) -> PathBuf {
        let simulated = self.auterion.as_ref().is_some_and(|a| a.device_types == ["simulation"]);
        let ending = match format {
            Format::Auterionos if simulated => "-simulation.auterionos",
            Format::Auterionos => ".auterionos",
            Format::Docker => ".docker.tar",
            Format::Oci => ".oci.tar",
        };
        self.bundles.join(format!("{}-{}{ending}", self.slug(), self.version))
    }

    /// The path of the bill of materials.
    pub fn sbom_path(&self) -> PathBuf {
        self.bundles.join(format!("{}-{}.cdx.json", self.slug(), self.version))
    }
}

/// What only the `.auterionos` format needs (`docs/file-format.md`, section 4).
#[derive(Clone, Debug, Serialize)]
pub struct Auterion {
    /// 1 to 8.
    pub api_version: u8,
    /// The target platforms as the author wrote them.
    pub target_platform: Vec<String>,
    /// The devices, with aliases resolved and without duplicates.
    pub device_types: Vec<String>,
    /// `none` or `vN`.
    pub app_base: String,
    /// The keys of the app file that are copied unchanged.
    pub extra: serde_json::Map<String, serde_json::Value>,
    /// Compose keys, merged last.
    pub compose_override: serde_json::Map<String, serde_json::Value>,
}
