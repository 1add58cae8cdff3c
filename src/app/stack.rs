//! A stack: services and other stacks that are started, watched and stopped together.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use serde_json::Map;

use super::{ImageRef, Name, Route, Service};

/// Services and other stacks that belong together.
#[derive(Clone, Debug, Serialize)]
pub struct Stack {
    /// Its name; the outermost stack's is the app's.
    pub name: Name,
    /// Names of the app's services in it, in launch order.
    pub services: Vec<String>,
    /// Services in it that are built of Dockerfiles, in launch order.
    pub built: Vec<Built>,
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
        own.chain(self.built.iter().map(|built| &built.service)).collect()
    }

    /// The image of one of its services as the swarm asks for it: the one that `push --repo` sends, if there is a registry.
    pub fn image_of(&self, service: &Service) -> ImageRef {
        let own = service.shared_image.as_deref().unwrap_or(service.name.as_str());
        match &self.repo {
            Some(repo) => ImageRef { name: format!("{repo}/{own}"), tag: service.image.tag.clone() },
            None => service.image.clone(),
        }
    }
}

/// A service that is built of a Dockerfile, and how.
#[derive(Clone, Debug, Serialize)]
pub struct Built {
    /// The service.
    pub service: Service,
    /// The folder that the Dockerfile copies from.
    pub context: PathBuf,
    /// The Dockerfile's path in it.
    pub dockerfile: String,
    /// Values for its `ARG`s.
    pub args: BTreeMap<String, String>,
    /// Folders that are put into the context, by their name there.
    pub packages: BTreeMap<String, PathBuf>,
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
    /// Whoever deploys the stack makes one that signs itself.
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

impl Service {
    /// A service of an image that is made elsewhere, without anything of its own.
    pub fn of_image(name: Name) -> Self {
        Self {
            image: ImageRef { name: name.to_string(), tag: "latest".into() },
            name,
            package: String::new(),
            folder: PathBuf::new(),
            bin: String::new(),
            features: Vec::new(),
            shared_image: None,
            binary_path: String::new(),
            command: None,
            args: Vec::new(),
            environment: BTreeMap::new(),
            secrets: BTreeMap::new(),
            env_files: Vec::new(),
            ports: Vec::new(),
            volumes: Vec::new(),
            files: Vec::new(),
            depends_on: Vec::new(),
            routes: BTreeMap::new(),
            user: String::new(),
            workdir: "/".into(),
            health: None,
            restart: None,
            network_mode: None,
            devices: Vec::new(),
            privileged: false,
            labels: BTreeMap::new(),
            replicas: None,
            controls: None,
            test: None,
            dev: super::Needs::default(),
            resources: super::Resources::default(),
            stop_grace_period: None,
            compose: Map::new(),
            auterion: Map::new(),
            kubernetes: Map::new(),
        }
    }

    /// The routes that a proxy can forward: those that lead to a port.
    pub fn proxied(&self) -> impl Iterator<Item = (&str, u16)> {
        self.routes.iter().filter_map(|(path, route)| match route {
            Route::Port(port) => Some((path.as_str(), *port)),
            Route::StaticRoot(_) => None,
        })
    }
}
