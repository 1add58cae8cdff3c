//! Finds the addresses at which an engine may listen.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bollard::{API_DEFAULT_VERSION, Docker};
use serde_json::Value;

use crate::diagnostic::Code;
use crate::digest::Digest;

/// An address at which an engine may listen, and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `unix:///run/docker.sock` or `tcp://127.0.0.1:2375`
    pub url: String,
    /// The variable or context that sets it; `None` for the default sockets.
    pub named_by: Option<String>,
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}`", self.url)?;
        self.named_by.iter().try_for_each(|who| write!(f, " ({who})"))
    }
}

impl Endpoint {
    /// An address set by `named_by`.
    pub fn new(url: impl Into<String>, named_by: &str) -> Self {
        Self { url: url.into(), named_by: Some(named_by.to_owned()) }
    }

    /// The path, if it is a Unix socket.
    pub fn socket(&self) -> Option<&str> {
        self.url.strip_prefix("unix://")
    }

    /// The host at which published ports are reached: 127.0.0.1, unless the engine runs on another machine.
    pub fn host(&self) -> &str {
        let remote = self.url.strip_prefix("tcp://").or_else(|| self.url.strip_prefix("http://"));
        let host = remote.map(|rest| rest.rsplit_once(':').map_or(rest, |(host, _)| host).trim_matches(['[', ']']));
        host.filter(|host| *host != "localhost").unwrap_or("127.0.0.1")
    }

    /// Checks that a server listens on the socket. The API client's own error would not say why not.
    pub(super) fn look(&self) -> Result<()> {
        let Some(path) = self.socket() else { return Ok(()) };
        match UnixStream::connect(path) {
            Ok(_) => Ok(()),
            Err(error) => match error.kind() {
                std::io::ErrorKind::NotFound => bail!("the socket does not exist"),
                std::io::ErrorKind::PermissionDenied => bail!("permission denied"),
                std::io::ErrorKind::ConnectionRefused => bail!("connection refused"),
                _ => Err(error).context("failed to connect"),
            },
        }
    }

    pub(super) fn client(&self, timeout: Duration) -> Result<Docker> {
        let seconds = timeout.as_secs();
        let client = match self.url.split_once("://") {
            Some(("unix", path)) => Docker::connect_with_unix(path, seconds, API_DEFAULT_VERSION),
            Some(("tcp" | "http", _)) => Docker::connect_with_http(&self.url, seconds, API_DEFAULT_VERSION),
            _ => bail!("unsupported scheme; use `unix://` or `tcp://`"),
        };
        client.context("failed to connect")
    }
}

/// The addresses to try, in order. If the user sets one, only that is tried.
pub(super) fn candidates() -> Result<Vec<Endpoint>> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    for name in ["DOCKER_HOST", "CONTAINER_HOST"] {
        if let Some(url) = variable(name) {
            return Ok(vec![Endpoint::new(url, name)]);
        }
    }
    let home = std::env::home_dir().unwrap_or_default();
    let config = variable("DOCKER_CONFIG").map_or_else(|| home.join(".docker"), PathBuf::from);
    if let Some(endpoint) = context(&config, variable("DOCKER_CONTEXT"))? {
        return Ok(vec![endpoint]);
    }
    let mut sockets = vec!["/var/run/docker.sock".to_owned()];
    sockets.extend(variable("XDG_RUNTIME_DIR").map(|folder| format!("{folder}/podman/podman.sock")));
    sockets.push("/run/podman/podman.sock".to_owned());
    Ok(sockets.into_iter().map(|path| Endpoint { url: format!("unix://{path}"), named_by: None }).collect())
}

/// The endpoint of Docker's current context, unless that is the default one.
fn context(config: &std::path::Path, chosen: Option<String>) -> Result<Option<Endpoint>> {
    let read = |path: PathBuf| -> Option<Value> { serde_json::from_slice(&std::fs::read(path).ok()?).ok() };
    let of_config = || Some(read(config.join("config.json"))?.get("currentContext")?.as_str()?.to_owned());
    let Some(name) = chosen.or_else(of_config).filter(|name| name != "default") else { return Ok(None) };
    let meta = config.join("contexts/meta").join(Digest::of(name.as_bytes()).hex()).join("meta.json");
    let Some(meta) = read(meta) else {
        bail!(
            Code::EngineUnreachable
                .error(format!("docker's context `{name}` does not exist\nhelp: list those that do with `docker context ls`"))
        );
    };
    let host = meta.pointer("/Endpoints/docker/Host").and_then(Value::as_str);
    Ok(host.map(|host| Endpoint::new(host, &format!("docker's context `{name}`"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_current_context_names_the_socket() {
        let folder = tempfile::tempdir().expect("folder");
        assert_eq!(context(folder.path(), None).expect("none"), None);
        std::fs::write(folder.path().join("config.json"), r#"{ "currentContext": "far" }"#).expect("written");
        assert!(context(folder.path(), None).is_err_and(|e| e.to_string().contains("docker context ls")));
        let meta = folder.path().join("contexts/meta").join(Digest::of(b"far").hex());
        std::fs::create_dir_all(&meta).expect("folder");
        let text = r#"{ "Name": "far", "Endpoints": { "docker": { "Host": "tcp://10.0.0.7:2375" } } }"#;
        std::fs::write(meta.join("meta.json"), text).expect("written");
        let endpoint = context(folder.path(), None).expect("context").expect("endpoint");
        assert_eq!((endpoint.url.as_str(), endpoint.host()), ("tcp://10.0.0.7:2375", "10.0.0.7"));
        assert_eq!(context(folder.path(), Some("default".into())).expect("default"), None);
    }
}
