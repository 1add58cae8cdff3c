//! A service, with every default filled in and every short form taken apart.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{ImageRef, Name, Needs, Resources};

/// One container of the app.
#[derive(Clone, Debug, Serialize)]
pub struct Service {
    /// Its name in the app.
    pub name: Name,
    /// The package that it is compiled from.
    pub package: String,
    /// The folder of that package.
    #[serde(skip)]
    pub folder: PathBuf,
    /// The executable of that package.
    pub bin: String,
    /// Features of the package.
    pub features: Vec<String>,
    /// Its image.
    pub image: ImageRef,
    /// The app's name, if that image holds all services and starts none by itself: then who starts the service says how.
    pub shared_image: Option<String>,
    /// Where the executable stands in the image.
    pub binary_path: String,
    /// What to run, when it is not the executable.
    pub command: Option<Vec<String>>,
    /// Arguments.
    pub args: Vec<String>,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// Environment variables whose values the target keeps as secrets.
    pub secrets: BTreeMap<String, SecretKey>,
    /// Files of environment variables, absolute, on the host that deploys.
    pub env_files: Vec<PathBuf>,
    /// Ports.
    pub ports: Vec<Port>,
    /// Volumes.
    pub volumes: Vec<Volume>,
    /// Files in its image, by path there.
    pub files: Vec<AppFile>,
    /// Names of the services that start before it.
    pub depends_on: Vec<String>,
    /// URL paths that lead to it.
    pub routes: BTreeMap<String, Route>,
    /// `UID:GID` or a name.
    pub user: String,
    /// Where it starts.
    pub workdir: String,
    /// How to see that it is well.
    pub health: Option<Health>,
    /// Restart policy, in compose's words.
    pub restart: Option<String>,
    /// Network, in compose's words.
    pub network_mode: Option<String>,
    /// Devices of the host.
    pub devices: Vec<String>,
    /// Whether it may do all.
    pub privileged: bool,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// How many run.
    pub replicas: Option<u32>,
    /// What it is given of processor and memory.
    #[serde(skip_serializing_if = "Resources::is_empty")]
    pub resources: Resources,
    /// How long it may take to end, in compose's words.
    pub stop_grace_period: Option<String>,
    /// What runs beside it while it is tested; none if its table says nothing of tests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<Needs>,
    /// What runs beside it while it is developed.
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

impl Service {
    /// The image's entrypoint: what was asked for instead of the executable, else that.
    pub fn entrypoint(&self) -> Vec<String> {
        self.command.clone().unwrap_or_else(|| vec![self.binary_path.clone()])
    }

    /// The whole command line.
    pub fn command_line(&self) -> Vec<String> {
        self.entrypoint().into_iter().chain(self.args.iter().cloned()).collect()
    }
}

/// A place where the target keeps a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SecretKey {
    /// The secret's name.
    pub secret: String,
    /// The key in it.
    pub key: String,
}

/// A port of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Port {
    /// On the host: `8080` or `127.0.0.1:8080`; none if it is not published.
    pub host: Option<String>,
    /// In the container.
    pub container: u16,
    /// How.
    pub protocol: Protocol,
}

/// A transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Port {
    /// Parses compose's short form.
    ///
    /// # Errors
    /// In words for the user.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a port: write `8080`, `80:8080` or `53:53/udp`");
        let (ports, protocol) = match text.split_once('/') {
            None | Some((_, "tcp")) => (text.split('/').next().unwrap_or_default(), Protocol::Tcp),
            Some((ports, "udp")) => (ports, Protocol::Udp),
            Some(_) => return Err(wrong()),
        };
        let plain = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let number = |text: &str| text.parse::<u16>().ok().filter(|port| *port != 0 && plain(text)).ok_or_else(wrong);
        let (host, container) = match ports.rsplit_once(':') {
            None => (None, ports),
            Some((host, container)) => {
                let (address, port) = host.rsplit_once(':').map_or((None, host), |(address, port)| (Some(address), port));
                number(port)?;
                if address.is_some_and(|a| a.parse::<std::net::Ipv4Addr>().is_err()) {
                    return Err(wrong());
                }
                (Some(host.to_owned()), container)
            }
        };
        Ok(Self { host, container: number(container)?, protocol })
    }

    /// `8080/tcp`, as image configs have it.
    pub fn exposed(&self) -> String {
        let protocol = if self.protocol == Protocol::Tcp { "tcp" } else { "udp" };
        format!("{}/{protocol}", self.container)
    }

    /// As compose's short form.
    pub fn short(&self) -> String {
        let protocol = if self.protocol == Protocol::Udp { "/udp" } else { "" };
        self.host.iter().map(|host| format!("{host}:")).collect::<String>() + &format!("{}{protocol}", self.container)
    }

    /// The host's port number, if it is published at one.
    pub fn host_number(&self) -> Option<u16> {
        self.host.as_deref()?.rsplit(':').next()?.parse().ok()
    }
}

/// A volume of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Volume {
    /// From where.
    pub source: VolumeSource,
    /// To which path in the container.
    pub target: String,
    /// Whether the service can only read it.
    pub read_only: bool,
}

/// What a volume is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum VolumeSource {
    /// Storage that belongs to the app, by name.
    Named(String),
    /// A path of the host.
    Host(String),
}

impl Volume {
    /// Parses compose's short form.
    ///
    /// # Errors
    /// In words for the user.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a volume: write `data:/data` or `/dev/shm:/dev/shm:ro`");
        let parts: Vec<&str> = text.split(':').collect();
        let (source, target, read_only) = match parts[..] {
            [source, target] | [source, target, "rw"] => (source, target, false),
            [source, target, "ro"] => (source, target, true),
            _ => return Err(wrong()),
        };
        let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        let source = if source.starts_with('/') {
            VolumeSource::Host(source.into())
        } else if source.starts_with(|c: char| c.is_ascii_alphanumeric()) && source.chars().all(named) {
            VolumeSource::Named(source.into())
        } else {
            return Err(wrong());
        };
        if !target.starts_with('/') || target.len() == 1 || crate::archive::confined(&target[1..]).is_none() {
            return Err(wrong());
        }
        Ok(Self { source, target: target.into(), read_only })
    }
}

/// A file in an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct AppFile {
    /// Absolute path in the image.
    pub to: String,
    /// Absolute path on this machine.
    pub from: PathBuf,
    /// Whether it may be executed: all of a file's mode that a checkout keeps.
    pub executable: bool,
    /// The target, when it stays a symbolic link.
    pub link: Option<String>,
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

/// How to see that a service is well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// URL path and port, if it is asked over HTTP.
    pub http: Option<(String, u16)>,
    /// The command, if it is asked by one.
    pub command: Option<Vec<String>>,
    /// Durations in compose's words.
    pub interval: Option<String>,
    /// As above.
    pub timeout: Option<String>,
    /// Failures in a row that make it sick.
    pub retries: Option<u32>,
    /// Time to start up.
    pub start_period: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports() {
        let shown = |text: &str| Port::parse(text).map(|p| (p.short(), p.exposed(), p.host_number()));
        assert_eq!(shown("8080"), Ok(("8080".into(), "8080/tcp".into(), None)));
        assert_eq!(shown("127.0.0.1:53:54/udp"), Ok(("127.0.0.1:53:54/udp".into(), "54/udp".into(), Some(53))));
        for bad in ["", "0", "a", "80:", ":80", "70000", "1:2/sctp", "x:1:2", "1:2:3:4", "+1", "+80:80"] {
            assert!(shown(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn volumes() {
        let parsed = Volume::parse("/dev/shm:/dev/shm:ro").expect("volume");
        assert_eq!((parsed.source, parsed.read_only), (VolumeSource::Host("/dev/shm".into()), true));
        for bad in ["data", "data:rel", "../x:/y", ":/y", "a:/", "a:/b:zz", "a:/../b"] {
            assert!(Volume::parse(bad).is_err(), "{bad}");
        }
    }
}
