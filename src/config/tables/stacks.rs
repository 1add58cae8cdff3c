//! What users write of stacks: services and other stacks that are started, monitored and stopped together.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::container::ContainerTable;
use super::routes::RouteTable;
use super::scalar::Scalar;

/// Services and other stacks that are started, monitored and stopped together. The stack with the app's name is the outermost one: it
/// contains every service and every stack that no other stack names.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct StackTable {
    /// Services of this stack.
    pub services: Vec<String>,
    /// Services of other stacks; this stack runs its own copies of them.
    pub copies: Vec<String>,
    /// Stacks inside this stack.
    pub stacks: Vec<String>,
    /// Apps of other workspaces inside this stack, by their name in it.
    pub apps: BTreeMap<String, OtherAppTable>,
    /// Services of this stack that Docker builds from a Dockerfile instead of a package.
    pub build: BTreeMap<String, BuildTable>,
    /// A gateway for the routes of all services in the stack and in the stacks inside it.
    pub gateway: Option<GatewayTable>,
    /// Repository prefix of the images, as `HOST/PATH`; `push --repo` pushes them there. Default: that of the stack around it.
    pub repo: Option<String>,
    /// Build arguments for all Dockerfile services of the stack.
    pub env: BTreeMap<String, Scalar>,
    /// Whether the stack is also an image. Its container, which runs the service that `controls` the stack, deploys the stack and removes it
    /// on exit.
    pub stack_image: bool,
}

/// An app of another workspace.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OtherAppTable {
    /// The workspace's folder, relative to the manifest.
    pub path: String,
}

/// A service that is built from a Dockerfile.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct BuildTable {
    /// The build context, relative to the manifest. Default: the manifest's folder.
    pub dir: Option<String>,
    /// The Dockerfile, relative to `dir`. Default: `Dockerfile`.
    pub file: Option<String>,
    /// Command line to run instead of the Dockerfile's, split as a shell does. Excludes `args`.
    pub cmd: Option<String>,
    /// Image name, `NAME` or `NAME:TAG`. Default: `AUTHOR.APP.NAME:VERSION`.
    pub tag: Option<String>,
    /// Build arguments.
    pub env: BTreeMap<String, Scalar>,
    /// Packages of the workspace whose folders are added to the build context, under their names.
    pub packages: Vec<String>,
    /// How the container runs.
    #[serde(flatten)]
    pub container: ContainerTable,
    /// Services to start before this one.
    pub depends_on: Vec<String>,
    /// URL paths that are routed to this service.
    pub routes: BTreeMap<String, RouteTable>,
    /// Compose keys, merged last into the service in compose files.
    pub compose: Option<Map<String, Value>>,
}

/// The gateway of a stack: a proxy for HTTP and WebSocket, configured from the routes of the services behind it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct GatewayTable {
    /// An image that contains nginx. Default: `nginx:stable`.
    pub image: Option<String>,
    /// The port for HTTP. Default: 80. A stack inside another one publishes ports only if its table names them.
    pub http: Option<u16>,
    /// The port for HTTPS, with a certificate. Default: 443.
    pub https: Option<u16>,
    /// Whether `deploy` creates a self-signed certificate for this machine, for development. Browsers warn about it.
    pub self_signed: bool,
    /// The secret that contains the certificate chain: `docker secret create NAME cert.pem`.
    pub certificate: Option<String>,
    /// The secret that contains the certificate's key: `docker secret create NAME key.pem`.
    pub key: Option<String>,
    /// Paths to replace before requests reach the service, such as `{ "/gallery" = "/" }`. Default: none.
    pub rewrite: BTreeMap<String, String>,
}

/// Settings for Docker Swarm.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SwarmTable {
    /// Prefix of the variables that every stack passes to its services and inner stacks: `_PARENT`,
    /// `_PARENTHOST`, `_APPNAME`, `_STACKNAME` and `_PARENT_NETWORK`. Default: `AILTIRE`.
    pub variables: Option<String>,
    /// How services are reached. Default: `"mesh"`.
    pub routing: Option<RoutingName>,
    /// The signal that stops the services of stacks. Default: `SIGTERM`.
    pub stop_signal: Option<String>,
}

/// How services in a swarm are reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RoutingName {
    /// A published port is open on every node, and a service's name resolves to one address for all replicas. Needs IPVS in the kernel.
    #[default]
    Mesh,
    /// A published port is open on nodes that run a replica, and a service's name resolves to the replicas themselves.
    Host,
}
