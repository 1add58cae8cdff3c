//! What users write of stacks: services and other stacks that are started, watched and stopped together.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::container::ContainerTable;
use super::routes::RouteTable;
use super::scalar::Scalar;

/// Services and other stacks that are started, watched and stopped together. The stack of the app's own name is the outermost
/// one: it takes every service and every stack that no other one names.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct StackTable {
    /// Services of this stack.
    pub services: Vec<String>,
    /// Services of other stacks of which this stack runs a copy of its own.
    pub copies: Vec<String>,
    /// Stacks in this stack.
    pub stacks: Vec<String>,
    /// Apps of other workspaces in this stack, by the name that they have here.
    pub apps: BTreeMap<String, OtherAppTable>,
    /// Services of this stack that are no package of the workspace: Docker builds them of a Dockerfile.
    pub build: BTreeMap<String, BuildTable>,
    /// One door for all routes of the stack's services, and of those of the stacks in it.
    pub gateway: Option<GatewayTable>,
    /// `HOST/PATH` of the registry that has the images; `push --repo` puts them there. Default: that of the stack around it.
    pub repo: Option<String>,
    /// Variables for every image that is built of a Dockerfile: values for its `ARG`s.
    pub env: BTreeMap<String, Scalar>,
    /// Whether the stack is also an image, whose container brings the stack up and takes it down when it ends: that of the service
    /// that `controls` it.
    pub stack_image: bool,
}

/// An app of another workspace.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OtherAppTable {
    /// The workspace's folder, relative to the manifest.
    pub path: String,
}

/// A service that is built of a Dockerfile.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct BuildTable {
    /// The folder that the Dockerfile copies from. Relative to the manifest. Default: the manifest's folder.
    pub dir: Option<String>,
    /// The Dockerfile, relative to `dir`. Default: `Dockerfile`.
    pub file: Option<String>,
    /// What the container runs, instead of what the Dockerfile says: a command line, as a shell splits it; or else `args`.
    pub cmd: Option<String>,
    /// `NAME` or `NAME:TAG` of the image. Default: the app's, the service's name and the version.
    pub tag: Option<String>,
    /// Variables for the build: values for the Dockerfile's `ARG`s.
    pub env: BTreeMap<String, Scalar>,
    /// Packages of the workspace whose folders the Dockerfile finds in `dir`, by their names.
    pub packages: Vec<String>,
    /// How its container runs.
    #[serde(flatten)]
    pub container: ContainerTable,
    /// Services to start before this one.
    pub depends_on: Vec<String>,
    /// URL paths that lead to this service.
    pub routes: BTreeMap<String, RouteTable>,
    /// Merged last into its part of compose files.
    pub compose: Option<Map<String, Value>>,
}

/// The door of a stack: a proxy for HTTP and WebSocket, configured by the routes of the services behind it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct GatewayTable {
    /// An image with nginx. Default: `nginx:stable`.
    pub image: Option<String>,
    /// The port for HTTP. Default: 80. A stack in another stack publishes ports only if it says so.
    pub http: Option<u16>,
    /// The port for HTTPS, with a certificate. Default: 443.
    pub https: Option<u16>,
    /// Whether `deploy` makes a certificate for this machine, as the swarm's secret: for development, browsers warn of it.
    pub self_signed: bool,
    /// The name of the secret that holds the certificate, and those that signed it: `docker secret create NAME cert.pem`.
    pub certificate: Option<String>,
    /// The name of the secret that holds the certificate's key: `docker secret create NAME key.pem`.
    pub key: Option<String>,
    /// What a route's path becomes at its service, such as `{ "/gallery" = "/" }`. Default: it stays as it is.
    pub rewrite: BTreeMap<String, String>,
}

/// What only Docker Swarm knows.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SwarmTable {
    /// The beginning of the names of the variables that every stack hands to its services and to the stacks in it: `_PARENT`,
    /// `_PARENTHOST`, `_APPNAME`, `_STACKNAME` and `_PARENT_NETWORK`. Default: `AILTIRE`.
    pub variables: Option<String>,
    /// How services are reached. Default: `"mesh"`.
    pub routing: Option<RoutingName>,
    /// The signal that asks the services of stacks to end. Default: `SIGTERM`, as everywhere else.
    pub stop_signal: Option<String>,
}

/// How services in a swarm are reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RoutingName {
    /// A published port is open on every node, and a service's name leads to one address for all its replicas. Needs IPVS in the
    /// kernel.
    #[default]
    Mesh,
    /// A published port is open where a replica runs, and a service's name leads to the replicas themselves.
    Host,
}
