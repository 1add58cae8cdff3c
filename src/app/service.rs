//! A service: a container of the app, and where its image comes from.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{AppFile, BaseChoice, Container, Dockerfile, ImageRef, Name, Needs};

/// A container of the app.
#[derive(Clone, Debug, Serialize)]
pub struct Service {
    /// Its name in the app.
    pub name: Name,
    /// Where its image comes from.
    #[serde(flatten)]
    pub source: Source,
    /// How it runs, with every default filled in.
    #[serde(flatten)]
    pub container: Container,
    /// Names of the services that start before it.
    pub depends_on: Vec<String>,
    /// URL paths that lead to it.
    pub routes: BTreeMap<String, Route>,
    /// The dependencies that `test` starts; none if its table says nothing of tests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<Needs>,
    /// The dependencies that `dev` starts.
    #[serde(skip_serializing_if = "Needs::is_empty")]
    pub dev: Needs,
    /// The stack that it brings up and takes down.
    pub controls: Option<String>,
    /// Merged last into its part of compose files.
    pub compose: Map<String, Value>,
    /// Merged last into its part of `auterion-app.yml`.
    pub auterion: Map<String, Value>,
    /// Merged last into its Kubernetes pod.
    pub kubernetes: Map<String, Value>,
}

/// Where a service's image comes from.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Source {
    /// It is packed with an executable of the workspace.
    Package(Package),
    /// An engine builds it of a Dockerfile.
    Dockerfile(DockerfileSource),
}

/// The executable of a service, and what is packed with it.
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
    /// What its image stands on.
    pub base: BaseChoice,
    /// Where the executable stands in the image.
    pub binary_path: String,
    /// Files in the image, by path there.
    pub files: Vec<AppFile>,
    /// The app's name, if one image holds all services and starts none by itself: then who starts the service says how.
    pub shared_image: Option<String>,
}

/// A Dockerfile of the user's own, and the packages that it copies from.
#[derive(Clone, Debug, Serialize)]
pub struct DockerfileSource {
    /// What is built.
    pub dockerfile: Dockerfile,
    /// Folders that are put into the context, by their name there.
    pub packages: BTreeMap<String, PathBuf>,
}

impl Service {
    /// What it is compiled from; none of one that is built of a Dockerfile.
    pub fn package(&self) -> Option<&Package> {
        match &self.source {
            Source::Package(package) => Some(package),
            Source::Dockerfile(_) => None,
        }
    }

    /// The command line that its image starts, or would start: what was asked for, else the executable.
    pub fn entrypoint(&self) -> Vec<String> {
        let own = self.package().map(|package| package.binary_path.clone()).into_iter().collect();
        self.container.command.clone().unwrap_or(own)
    }

    /// The container as a runtime has to be told of it: without what its image already says.
    pub fn described(&self) -> Container {
        let container = self.container.clone();
        match &self.source {
            Source::Dockerfile(_) => container,
            Source::Package(Package { shared_image: Some(_), .. }) => {
                let args = self.entrypoint().into_iter().chain(container.args).collect();
                Container { command: None, args, ..container }
            }
            Source::Package(_) => {
                Container { command: None, args: Vec::new(), user: None, workdir: None, labels: BTreeMap::new(), ..container }
            }
        }
    }

    /// Its image: its own, or the one that `push --repo PREFIX` sends.
    pub fn image_in(&self, prefix: Option<&str>) -> ImageRef {
        let Some(prefix) = prefix else { return self.container.image.clone() };
        let shared = self.package().and_then(|package| package.shared_image.as_deref());
        let own = shared.unwrap_or(self.name.as_str());
        ImageRef::new(&format!("{}/{own}", prefix.trim_end_matches('/')), self.container.image.tag())
    }

    /// The routes that a proxy can forward: those that lead to a port.
    pub fn proxied(&self) -> impl Iterator<Item = (&str, u16)> {
        self.routes.iter().filter_map(|(path, route)| match route {
            Route::Port(port) => Some((path.as_str(), *port)),
            Route::StaticRoot(_) => None,
        })
    }
}

/// Where a URL path leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Route {
    /// To a port of the service.
    Port(u16),
    /// To static files in the image.
    StaticRoot(String),
}
