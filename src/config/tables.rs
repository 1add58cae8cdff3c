//! What users write, key by key.

mod build;
mod container;
mod deployment;
mod files;
mod format;
mod needs;
mod packages;
mod routes;
mod scalar;
mod services;
mod stacks;
mod variants;
mod volumes;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use build::{CompilationTable, PrepareTable, PrepareValue};
pub use container::{ContainerTable, HealthTable};
pub use deployment::{ResourcesTable, SecretTable};
pub use files::FileTable;
pub use format::FormatName;
pub use needs::{DependencyTable, NeedsTable};
pub use packages::PackagesTable;
pub use routes::RouteTable;
pub use scalar::{OneOrMany, PortValue, Scalar};
pub use services::{ImageServiceTable, ImageTable};
pub use stacks::{BuildTable, GatewayTable, OtherAppTable, RoutingName, StackTable, SwarmTable};
pub use variants::{VariantServiceTable, VariantTable};
pub use volumes::VolumeTable;

/// The app: `[workspace.metadata.appbundle]`, or `[package.metadata.appbundle]` of a single package.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[schemars(title = "cargo-appbundle: the app")]
pub struct AppTable {
    /// The app's name. Default: the workspace folder's name.
    pub name: Option<String>,
    /// The publisher, as a reverse domain such as `com.example`. The format `auterionos` requires it.
    pub author: Option<String>,
    /// The app's version. Default: `workspace.package.version`, or the only version among the services.
    pub version: Option<String>,
    /// Target triples to build for; `arm64` and `amd64` stand for those with glibc. Default: `["aarch64-unknown-linux-gnu"]`.
    pub targets: Option<Vec<String>>,
    /// The base of all services' images. Default: `"auto"`.
    pub base: Option<BaseTable>,
    /// Bundle formats to write. Default: `["auterionos"]` if there is an author, otherwise `["docker"]`.
    pub formats: Option<Vec<FormatName>>,
    /// The date of all that is written. Default: `"epoch"`. The variable `SOURCE_DATE_EPOCH` comes first.
    pub created: Option<CreatedName>,
    /// Compression level. Default: `"default"`.
    pub compression: Option<CompressionName>,
    /// Image builder. Default: `"native"`, which needs no container engine.
    pub engine: Option<EngineName>,
    /// Whether each service has its own image. Default: `"image-per-service"`.
    pub layout: Option<LayoutName>,
    /// Compiler driver. Default: `"cargo"`.
    pub builder: Option<BuilderName>,
    /// How the services are compiled.
    pub build: CompilationTable,
    /// Whether each packed executable carries the list of its crates, which scanners read. Default: `true`.
    pub sbom: Option<bool>,
    /// Whether each image has the texts of its crates' licences, in `/usr/share/licenses/NAME.txt`. Default: `false`.
    pub licenses: bool,
    /// Whether images are labelled with the Git commit. Each commit then has images of its own. Default: `false`.
    pub revision: bool,
    /// Mirrors to try before a registry, as URLs: `{ "docker.io" = ["https://mirror.example.com"] }`.
    pub mirrors: BTreeMap<String, Vec<String>>,
    /// Registries to reach over plain HTTP, as `HOST` or `HOST:PORT`. `localhost` is always allowed.
    pub insecure_registries: Vec<String>,
    /// Codes of notes that are not shown, such as `["replicas-ignored"]`; `cargo appbundle explain` lists them.
    pub allow: Vec<String>,
    /// Variants of the app, by name: other features and formats, under a name of their own. `--variant NAME` selects one.
    pub variants: BTreeMap<String, VariantTable>,
    /// Settings of the `.auterionos` format.
    pub auterion: AuterionTable,
    /// Services whose images others made, by name, such as `redis = { image = "redis:7" }`.
    pub services: BTreeMap<String, ImageServiceTable>,
    /// Settings of named volumes, by name.
    pub volumes: BTreeMap<String, VolumeTable>,
    /// Stacks, by name: services and other stacks that are started, monitored and stopped together.
    pub stacks: BTreeMap<String, StackTable>,
    /// Settings for Docker Swarm.
    pub swarm: SwarmTable,
}

/// The base of images.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum BaseTable {
    /// A base by name.
    Named(BaseName),
    /// A base from a source: exactly one of these keys.
    From(Box<BaseSource>),
}

/// Bases that have no source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BaseName {
    /// One layer with the loader and the libraries that the executables need.
    Auto,
    /// Empty.
    Scratch,
}

/// The source of a base.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct BaseSource {
    /// A root file system: a folder, or a plain or compressed tar. Relative to the manifest.
    pub rootfs: Option<String>,
    /// A docker archive, an OCI layout, or an OCI archive. Relative to the manifest.
    pub archive: Option<String>,
    /// A Dockerfile that Docker or podman builds for the target. It is rebuilt when it, its context or its arguments change.
    /// Relative to the manifest.
    pub dockerfile: Option<String>,
    /// With `dockerfile`: the build context, relative to the manifest. Default: the Dockerfile's folder.
    pub context: Option<String>,
    /// With `dockerfile`: build arguments.
    pub args: BTreeMap<String, Scalar>,
    /// With `dockerfile`: the stage to build. Default: the last one.
    pub target: Option<String>,
    /// An image in a registry, such as `debian:bookworm-slim`; `appbundle.lock` pins its digest.
    pub image: Option<String>,
    /// A suite of Debian, such as `bookworm`, whose `packages` are unpacked; `appbundle.lock` pins each.
    pub debian: Option<String>,
    /// A suite of Ubuntu, such as `noble`, whose `packages` are unpacked; `appbundle.lock` pins each.
    pub ubuntu: Option<String>,
    /// Settings of `debian` and `ubuntu`.
    #[serde(flatten)]
    pub of_packages: PackagesTable,
}

/// The date of images, layers and bundles. Either makes the same bytes of the same commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CreatedName {
    /// 1 January 1970.
    Epoch,
    /// When the last git commit of the workspace was made.
    Commit,
}

/// Image builder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EngineName {
    /// Built in.
    #[default]
    Native,
    /// Docker or podman, from the generated Dockerfiles.
    Docker,
}

/// Compiler driver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BuilderName {
    /// Cargo, with this machine's cross linker.
    #[default]
    Cargo,
    /// `cross`, in a container with the target's C toolchain.
    Cross,
    /// `cargo zigbuild`, with zig as the linker. The triple may end in a glibc version.
    Zigbuild,
}

/// Whether each service has its own image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LayoutName {
    /// Each service has its own image, which starts it.
    #[default]
    ImagePerService,
    /// One image contains the executables of all services. It starts none by itself; each service is a command in it.
    MultiBinary,
}

/// Compression level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CompressionName {
    /// Fastest, for development.
    Fast,
    /// Smaller and faster than gzip's default.
    Default,
    /// Smallest, but slow.
    Best,
}

/// Settings of the `.auterionos` format. Which keys are allowed depends on `api-version`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct AuterionTable {
    /// Version of the app file, 1 to 8. Default: 2.
    #[schemars(range(min = 1, max = 8))]
    pub api_version: Option<u8>,
    /// Devices, such as `skynode`, `skynode-s` and `ainode`. Default: `["skynode"]`.
    pub target_platform: Option<OneOrMany>,
    /// The base app, `none` or `vN`. Default: `none`.
    pub app_base: Option<String>,
    /// Whether this is a system app. Needs API 2.
    pub system_app: Option<bool>,
    /// Apps that this app requires, as slug and version. Needs API 2.
    pub dependencies: Option<BTreeMap<String, String>>,
    /// From API 3 on.
    pub logging: Option<Map<String, Value>>,
    /// From API 6 on.
    pub mission_executor: Option<bool>,
    /// From API 6 on.
    pub parameters: Option<Vec<Map<String, Value>>>,
    /// API 8.
    pub suite_id: Option<Map<String, Value>>,
    /// Compose keys, merged last.
    pub compose_override: Option<Map<String, Value>>,
}

/// A service: `[package.metadata.service]`, or one of several `[[package.metadata.service]]`. An empty table is enough.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(title = "cargo-appbundle: a service", deny_unknown_fields)]
pub struct ServiceTable {
    /// The name of the service. Default: the package's name.
    pub name: Option<String>,
    /// The bin to run. Default: `default-run`, or the package's only bin.
    pub bin: Option<String>,
    /// Features of the package to enable.
    pub features: Option<Vec<String>>,
    /// Whether the package's default features are enabled. Default: true. Services of one package have the same.
    pub default_features: Option<bool>,
    /// How the container runs.
    #[serde(flatten)]
    pub container: ContainerTable,
    /// The name under which the executable starts, its `argv[0]`: for executables that tell by it what to do. The image has a link of
    /// this name next to the executable, which is its entrypoint. Default: the executable's own.
    pub argv0: Option<String>,
    /// Shared libraries of the workspace (`crate-type = ["cdylib"]`) to add to the image, by the names of their packages or their own.
    /// Cargo compiles them in the same run, and the executable finds them when it runs.
    pub libraries: Vec<String>,
    /// Files, links and folders to add to the image.
    pub files: Vec<FileTable>,
    /// Services to start before this one.
    pub depends_on: Vec<String>,
    /// URL paths that are routed to this service.
    pub routes: BTreeMap<String, RouteTable>,
    /// The stack that this service deploys and removes as its controller (`new-service --template stack`).
    pub controls: Option<String>,
    /// The base of this service's image. Default: the app's.
    pub base: Option<BaseTable>,
    /// Containers that `cargo appbundle test` runs for this service.
    pub test: Option<NeedsTable>,
    /// Containers that `cargo appbundle dev` runs for this service. Default: those of `test`.
    pub dev: Option<NeedsTable>,
    /// Compose keys, merged last into the service in compose files.
    pub compose: Option<Map<String, Value>>,
    /// Keys merged last into the service in `auterion-app.yml`.
    pub auterion: Option<Map<String, Value>>,
    /// Keys merged last into the service's pod on Kubernetes. List items with the same `name` are merged.
    pub kubernetes: Option<Map<String, Value>>,
}
