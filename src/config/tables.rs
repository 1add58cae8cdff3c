//! What users write, key by key.

mod container;
mod deployment;
mod needs;
mod routes;
mod scalar;
mod stacks;
mod volumes;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use container::{ContainerTable, HealthTable};
pub use deployment::{ResourcesTable, SecretTable};
pub use needs::{DependencyTable, NeedsTable};
pub use routes::RouteTable;
pub use scalar::{OneOrMany, PortValue, Scalar};
pub use stacks::{BuildTable, GatewayTable, OtherAppTable, RoutingName, StackTable, SwarmTable};
pub use volumes::VolumeTable;

/// The app: `[workspace.metadata.appbundle]`, or `[package.metadata.appbundle]` of a single package.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[schemars(title = "cargo-appbundle: the app")]
pub struct AppTable {
    /// The app's name. Default: the workspace folder's name.
    pub name: Option<String>,
    /// Reverse domain of who publishes it, such as `com.example`. Needed for the format `auterionos`.
    pub author: Option<String>,
    /// The version of the app. Default: `workspace.package.version`, or the only version among the services.
    pub version: Option<String>,
    /// Target triples. Default: `["aarch64-unknown-linux-gnu"]`.
    pub targets: Option<Vec<String>>,
    /// What all services' images stand on. Default: `"auto"`.
    pub base: Option<BaseTable>,
    /// What to write. Default: `["auterionos"]` if there is an author, else `["docker"]`.
    pub formats: Option<Vec<FormatName>>,
    /// How hard to compress. Default: `"default"`.
    pub compression: Option<CompressionName>,
    /// Who makes the images. Default: `"native"`, which needs no container engine.
    pub engine: Option<EngineName>,
    /// What images hold. Default: `"image-per-service"`.
    pub layout: Option<LayoutName>,
    /// Who compiles. Default: `"cargo"`.
    pub builder: Option<BuilderName>,
    /// For a registry, the URLs that are asked before it: `{ "docker.io" = ["https://mirror.example.com"] }`.
    pub mirrors: BTreeMap<String, Vec<String>>,
    /// `HOST` or `HOST:PORT` of registries that speak plain HTTP. This machine itself always may.
    pub insecure_registries: Vec<String>,
    /// What only the `.auterionos` format knows.
    pub auterion: AuterionTable,
    /// What is wanted of the volumes that services name, by their names.
    pub volumes: BTreeMap<String, VolumeTable>,
    /// Stacks: services and other stacks that are started, watched and stopped together, by name.
    pub stacks: BTreeMap<String, StackTable>,
    /// What only Docker Swarm knows.
    pub swarm: SwarmTable,
}

/// What images stand on.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum BaseTable {
    /// A base that needs nothing.
    Named(BaseName),
    /// A base that is read from somewhere: exactly one of the keys.
    From(BaseSource),
}

/// Bases that need nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BaseName {
    /// One layer with the loader and the libraries that the binaries need.
    Auto,
    /// Empty.
    Scratch,
}

/// Where a base comes from.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct BaseSource {
    /// A root file system: a tar, plain or compressed, or a folder. Relative to the manifest.
    pub rootfs: Option<String>,
    /// A docker archive, an OCI layout, or an OCI archive. Relative to the manifest.
    pub archive: Option<String>,
    /// A Dockerfile that Docker or podman builds for the target, and again when it, its context or its arguments change.
    /// Relative to the manifest.
    pub dockerfile: Option<String>,
    /// With `dockerfile`: the folder that it copies from. Relative to the manifest. Default: the Dockerfile's folder.
    pub context: Option<String>,
    /// With `dockerfile`: values for its `ARG`s.
    pub args: BTreeMap<String, Scalar>,
    /// With `dockerfile`: the stage to stop at. Default: the last one.
    pub target: Option<String>,
    /// An image in a registry, such as `debian:bookworm-slim`; `appbundle.lock` says which one exactly.
    pub image: Option<String>,
}

/// A kind of bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FormatName {
    /// An app file of AuterionOS.
    Auterionos,
    /// An archive for `docker load` and `podman load`, at the same time an OCI layout.
    Docker,
    /// An OCI layout in a tar.
    Oci,
}

/// Who makes the images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EngineName {
    /// This program.
    #[default]
    Native,
    /// Docker, or podman behind its socket, of the generated Dockerfiles.
    Docker,
}

/// Who compiles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BuilderName {
    /// Cargo, with the linker of this machine.
    #[default]
    Cargo,
    /// `cross`, in a container with the target's C tools.
    Cross,
    /// `cargo zigbuild`, with zig as the linker; takes a glibc version after the triple.
    Zigbuild,
}

/// What images hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LayoutName {
    /// Each service has an image of its own, which starts it.
    #[default]
    ImagePerService,
    /// One image holds the executables of all services and starts none by itself; each service is a command in it.
    MultiBinary,
}

/// How hard to compress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CompressionName {
    /// For the inner loop of development.
    Fast,
    /// Smaller than the usual gzip, and faster.
    Default,
    /// As small as gzip gets; slow.
    Best,
}

/// What only the `.auterionos` format knows. Which keys are allowed depends on `api-version`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct AuterionTable {
    /// The version of the app file: 1 to 8. Default: 2.
    #[schemars(range(min = 1, max = 8))]
    pub api_version: Option<u8>,
    /// Devices: `skynode`, `skynode-s`, `ainode`, ... Default: `["skynode"]`.
    pub target_platform: Option<OneOrMany>,
    /// `none` or `v` and a number. Default: `none`.
    pub app_base: Option<String>,
    /// Whether it belongs to the system; from API 2 on.
    pub system_app: Option<bool>,
    /// Other apps that it needs: slug and version; from API 2 on.
    pub dependencies: Option<BTreeMap<String, String>>,
    /// From API 3 on.
    pub logging: Option<Map<String, Value>>,
    /// From API 6 on.
    pub mission_executor: Option<bool>,
    /// From API 6 on.
    pub parameters: Option<Vec<Map<String, Value>>>,
    /// API 8.
    pub suite_id: Option<Map<String, Value>>,
    /// A piece of compose file, merged last.
    pub compose_override: Option<Map<String, Value>>,
}

/// A service: `[package.metadata.service]`, or one of several `[[package.metadata.service]]`. An empty table is enough.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(title = "cargo-appbundle: a service", deny_unknown_fields)]
pub struct ServiceTable {
    /// The name of the service. Default: the package's name.
    pub name: Option<String>,
    /// The executable. Default: `default-run`, else the package's only one.
    pub bin: Option<String>,
    /// Features of the package to compile with.
    pub features: Option<Vec<String>>,
    /// How its container runs.
    #[serde(flatten)]
    pub container: ContainerTable,
    /// Files to put into the image.
    pub files: Vec<FileTable>,
    /// Services to start before this one.
    pub depends_on: Vec<String>,
    /// URL paths that lead to this service.
    pub routes: BTreeMap<String, RouteTable>,
    /// The stack that this service brings up and takes down: its image is the stack's (`new-service --template stack`).
    pub controls: Option<String>,
    /// Another base than the app's.
    pub base: Option<BaseTable>,
    /// What runs beside it while `cargo appbundle test` tests it.
    pub test: Option<NeedsTable>,
    /// What runs beside it under `cargo appbundle dev`. Default: what `test` says.
    pub dev: Option<NeedsTable>,
    /// Merged last into its part of compose files.
    pub compose: Option<Map<String, Value>>,
    /// Merged last into its part of `auterion-app.yml`.
    pub auterion: Option<Map<String, Value>>,
    /// Merged last into its pod on Kubernetes; of lists, items with the same `name` are merged.
    pub kubernetes: Option<Map<String, Value>>,
}

/// Files to put into an image.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FileTable {
    /// A file, a folder, or a pattern with `*`, `**`, `?`, `[...]` or `{a,b}`, relative to the manifest.
    pub from: String,
    /// An absolute path in the image: of the file, or, ending in `/` or for a pattern, of the folder.
    pub to: String,
}
