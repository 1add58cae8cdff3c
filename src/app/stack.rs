//! A stack: services and other stacks that are started, watched and stopped together.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::{DockerfileSource, ImageRef, Name, Service, Source};

/// Services and other stacks that belong together.
#[derive(Clone, Debug, Serialize)]
pub struct Stack {
    /// Its name; the outermost stack's is the app's.
    pub name: Name,
    /// Names of the app's services in it, in launch order.
    pub services: Vec<String>,
    /// Services in it that are built of Dockerfiles, in launch order.
    pub built: Vec<Service>,
    /// Names of the stacks in it.
    pub stacks: Vec<String>,
    /// Apps of other workspaces in it: the name here, and the workspace's folder.
    pub apps: BTreeMap<String, PathBuf>,
    /// The door of the stack.
    pub gateway: Option<Gateway>,
    /// `HOST/PATH` of the registry that has the images.
    pub repo: Option<String>,
    /// Whether it is also made into an image.
    pub image: bool,
}

impl Stack {
    /// All its services, in launch order; `known` are the app's.
    pub fn members<'a>(&'a self, known: &'a [Service]) -> Vec<&'a Service> {
        let own = self.services.iter().filter_map(|name| known.iter().find(|service| service.name.as_str() == name));
        own.chain(&self.built).collect()
    }

    /// Those of its services that are built of Dockerfiles, with what they are built of.
    pub fn dockerfiles(&self) -> impl Iterator<Item = (&Service, &DockerfileSource)> {
        self.built.iter().filter_map(|service| match &service.source {
            Source::Dockerfile(source) => Some((service, source)),
            Source::Package(_) => None,
        })
    }

    /// The image of one of its services as the swarm asks for it: the one that `push --repo` sends, if there is a registry.
    pub fn image_of(&self, service: &Service) -> ImageRef {
        service.image_in(self.repo.as_deref())
    }
}

/// The door of a stack: a proxy for all routes behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gateway {
    /// An image with nginx.
    pub image: String,
    /// The published port for HTTP.
    pub http: Option<u16>,
    /// HTTPS, if there is a certificate.
    pub https: Option<Https>,
    /// What a route's path becomes at its service.
    pub rewrite: BTreeMap<String, String>,
}

/// HTTPS of a gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Https {
    /// The published port.
    pub port: u16,
    /// What it shows.
    pub certificate: Certificate,
}

/// Where the certificate of a gateway comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certificate {
    /// The swarm has two secrets of these names.
    Secrets {
        /// The certificate, and those that signed it.
        certificate: String,
        /// Its key.
        key: String,
    },
    /// Self-signed, created when the stack is deployed.
    SelfSigned,
}

/// How services in a swarm are reached, and what they are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Swarm {
    /// The beginning of the variables' names, without the `_` after it.
    pub variables: String,
    /// Whether ports are open on every node, and names lead to one address for all replicas; else each replica has its own.
    pub mesh: bool,
    /// The signal that asks services to end.
    pub stop_signal: String,
}
