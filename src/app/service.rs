//! A service: a container of the app, and the source of its image.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{AppFile, BaseChoice, Container, Dockerfile, ImageRef, Library, Name, Needs};

/// A service of the app.
#[derive(Clone, Debug, Serialize)]
pub struct Service {
    /// The service's name.
    pub name: Name,
    /// The source of its image.
    #[serde(flatten)]
    pub source: Source,
    /// How it runs, with every default filled in.
    #[serde(flatten)]
    pub container: Container,
    /// Names of the services to start before this one.
    pub depends_on: Vec<String>,
    /// URL paths that are routed to it.
    pub routes: BTreeMap<String, Route>,
    /// The dependencies that `test` starts; `None` without a `test` table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<Needs>,
    /// The dependencies that `dev` starts.
    #[serde(skip_serializing_if = "Needs::is_empty")]
    pub dev: Needs,
    /// The stack that it deploys and removes.
    pub controls: Option<String>,
    /// Keys merged last into the service in compose files.
    pub compose: Map<String, Value>,
    /// Keys merged last into the service in `auterion-app.yml`.
    pub auterion: Map<String, Value>,
    /// Keys merged last into the service's pod on Kubernetes.
    pub kubernetes: Map<String, Value>,
}

/// The source of a service's image.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Source {
    /// A package of the workspace, whose executable is packed.
    Package(Box<Package>),
    /// A Dockerfile, which an engine builds.
    Dockerfile(DockerfileSource),
    /// An image that others made, which is packed as it is.
    Upstream(Upstream),
}

/// An image that others made.
#[derive(Clone, Debug, Serialize)]
pub struct Upstream {
    /// Where it is.
    pub upstream: BaseChoice,
}

/// The package of a service, and the files that are packed with its executable.
#[derive(Clone, Debug, Serialize)]
pub struct Package {
    /// The package's name.
    pub package: String,
    /// Its folder.
    #[serde(skip)]
    pub folder: PathBuf,
    /// The executable.
    pub bin: String,
    /// Features of the package.
    pub features: Vec<String>,
    /// Whether the package's default features are enabled, too.
    pub default_features: bool,
    /// Whether the package has default features.
    #[serde(skip)]
    pub has_default: bool,
    /// The base of its image.
    pub base: BaseChoice,
    /// Path of the executable in the image.
    pub binary_path: String,
    /// Path of the link under which the executable starts, if it is not its own path. `files` has the link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub argv0: Option<String>,
    /// The libraries of the workspace in the image. `files` has them too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub libraries: Vec<Library>,
    /// Files in the image, by path there.
    pub files: Vec<AppFile>,
    /// What images are labelled with.
    #[serde(flatten)]
    pub about: AboutPackage,
    /// The app's name, if one image holds all services. That image starts none of them by itself, so the container has to name the command.
    pub shared_image: Option<String>,
}

/// What a package's manifest says of it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AboutPackage {
    /// The licence, as an SPDX expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// The address of the sources.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
}

/// A user's Dockerfile, and the packages that are added to its context.
#[derive(Clone, Debug, Serialize)]
pub struct DockerfileSource {
    /// The Dockerfile to build.
    pub dockerfile: Dockerfile,
    /// Folders to add to the build context, by their name in it.
    pub packages: BTreeMap<String, PathBuf>,
}

impl Service {
    /// The package it is compiled from, if it is.
    pub fn package(&self) -> Option<&Package> {
        match &self.source {
            Source::Package(package) => Some(package),
            Source::Dockerfile(_) | Source::Upstream(_) => None,
        }
    }

    /// The image that others made, if it is one.
    pub fn upstream(&self) -> Option<&BaseChoice> {
        match &self.source {
            Source::Upstream(source) => Some(&source.upstream),
            Source::Package(_) | Source::Dockerfile(_) => None,
        }
    }

    /// What the image stands on or, if others made it, is; `None` if it is built from a Dockerfile.
    pub fn base(&self) -> Option<&BaseChoice> {
        self.package().map(|package| &package.base).or_else(|| self.upstream())
    }

    /// The service's command line: the one from its table, or else its executable.
    pub fn entrypoint(&self) -> Vec<String> {
        let own = self.package().map(|package| package.argv0.clone().unwrap_or_else(|| package.binary_path.clone()));
        let own = own.into_iter().collect();
        self.container.command.clone().unwrap_or(own)
    }

    /// The container without the settings that its image already contains.
    pub fn described(&self) -> Container {
        let container = self.container.clone();
        match &self.source {
            Source::Dockerfile(_) | Source::Upstream(_) => container,
            Source::Package(package) if package.shared_image.is_some() => {
                let args = self.entrypoint().into_iter().chain(container.args).collect();
                Container { command: None, args, ..container }
            }
            Source::Package(_) => {
                Container { command: None, args: Vec::new(), user: None, workdir: None, labels: BTreeMap::new(), ..container }
            }
        }
    }

    /// The service's image name; with a prefix, the name that `push --repo PREFIX` pushes.
    pub fn image_in(&self, prefix: Option<&str>) -> ImageRef {
        let Some(prefix) = prefix else { return self.container.image.clone() };
        let shared = self.package().and_then(|package| package.shared_image.as_deref());
        let own = shared.unwrap_or(self.name.as_str());
        ImageRef::new(&format!("{}/{own}", prefix.trim_end_matches('/')), self.container.image.tag())
    }

    /// The routes that a proxy can forward: those to a port.
    pub fn proxied(&self) -> impl Iterator<Item = (&str, u16)> {
        self.routes.iter().filter_map(|(path, route)| match route {
            Route::Port(port) => Some((path.as_str(), *port)),
            Route::StaticRoot(_) => None,
        })
    }
}

/// The destination of a URL path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Route {
    /// A port of the service.
    Port(u16),
    /// A folder of static files in the image.
    StaticRoot(String),
}
