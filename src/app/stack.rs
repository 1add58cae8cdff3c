//! A stack: services and other stacks that are started, monitored and stopped together.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::{DockerfileSource, ImageRef, Name, Service, Source};

/// A stack of services and inner stacks.
#[derive(Clone, Debug, Serialize)]
pub struct Stack {
    /// The stack's name; the outermost stack has the app's name.
    pub name: Name,
    /// Names of the app's services in this stack, in launch order.
    pub services: Vec<String>,
    /// Services of this stack that are built from Dockerfiles, in launch order.
    pub built: Vec<Service>,
    /// Names of the inner stacks.
    pub stacks: Vec<String>,
    /// Apps of other workspaces in this stack: the name in this stack, and the workspace's folder.
    pub apps: BTreeMap<String, PathBuf>,
    /// The stack's gateway.
    pub gateway: Option<Gateway>,
    /// Repository prefix of the images, `HOST/PATH`.
    pub repo: Option<String>,
    /// Whether the stack is also an image.
    pub image: bool,
}

impl Stack {
    /// All services of the stack, in launch order; `known` are the app's services.
    pub fn members<'a>(&'a self, known: &'a [Service]) -> Vec<&'a Service> {
        let own = self.services.iter().filter_map(|name| known.iter().find(|service| service.name.as_str() == name));
        own.chain(&self.built).collect()
    }

    /// The services that are built from Dockerfiles, with their builds.
    pub fn dockerfiles(&self) -> impl Iterator<Item = (&Service, &DockerfileSource)> {
        self.built.iter().filter_map(|service| match &service.source {
            Source::Dockerfile(source) => Some((service, source)),
            Source::Package(_) | Source::Upstream(_) => None,
        })
    }

    /// The image name that the swarm uses for a service: the one that `push --repo` pushes, if the stack has a repository prefix.
    pub fn image_of(&self, service: &Service) -> ImageRef {
        service.image_in(self.repo.as_deref())
    }
}

/// A gateway: a proxy for the routes of a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gateway {
    /// An image that contains nginx.
    pub image: String,
    /// The published port for HTTP.
    pub http: Option<u16>,
    /// HTTPS, if there is a certificate.
    pub https: Option<Https>,
    /// Path rewrites: the path of a route, and the path that the service receives.
    pub rewrite: BTreeMap<String, String>,
}

/// HTTPS of a gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Https {
    /// The published port.
    pub port: u16,
    /// The certificate.
    pub certificate: Certificate,
}

/// Where the certificate of a gateway comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certificate {
    /// Two existing secrets of the swarm.
    Secrets {
        /// Name of the secret with the certificate chain.
        certificate: String,
        /// Name of the secret with the certificate's key.
        key: String,
    },
    /// Self-signed, created when the stack is deployed.
    SelfSigned,
}

/// Settings for Docker Swarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Swarm {
    /// Prefix of the variables' names, without the `_` that follows it.
    pub variables: String,
    /// Whether published ports are open on every node and a service's name resolves to one address for all replicas. Otherwise, each
    /// replica has its own address.
    pub mesh: bool,
    /// The signal that stops services.
    pub stop_signal: String,
}
