//! How registries may be reached.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::reference::is_host;

/// Which registries may be reached without TLS, and which mirrors to try first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Hosts that may be reached without TLS, in addition to this machine.
    pub insecure: Vec<String>,
    /// The mirrors of each registry, as URLs.
    pub mirrors: BTreeMap<String, Vec<String>>,
}

/// A server with the registry API (`/v2/`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryEndpoint {
    /// `https`, `http`, or empty: then both are tried.
    pub scheme: Option<&'static str>,
    /// `HOST[:PORT]`
    pub host: String,
}

impl Access {
    /// Whether plain HTTP is allowed: for this machine, and for hosts in the list.
    pub fn allows_plain(&self, host: &str) -> bool {
        is_loopback(host) || self.insecure.iter().any(|listed| listed == host || listed == without_port(host))
    }

    /// The servers to ask for a registry's images: its mirrors in order, then the registry itself.
    ///
    /// # Errors
    /// When a mirror is not a URL, or uses plain HTTP without permission; as text for the user.
    pub fn endpoints(&self, registry: &str, host: &str) -> Result<Vec<RegistryEndpoint>, String> {
        let mirrors = self.mirrors.get(registry).into_iter().flatten();
        let mut endpoints = mirrors.map(|url| self.mirror(url)).collect::<Result<Vec<_>, _>>()?;
        endpoints.push(self.origin(host));
        Ok(endpoints)
    }

    /// The registry itself.
    pub fn origin(&self, host: &str) -> RegistryEndpoint {
        RegistryEndpoint { scheme: if self.allows_plain(host) { None } else { Some("https") }, host: host.to_owned() }
    }

    /// Parses a mirror's URL.
    ///
    /// # Errors
    /// As [`Access::endpoints`].
    pub fn mirror(&self, url: &str) -> Result<RegistryEndpoint, String> {
        let (scheme, host) = match url.split_once("://") {
            Some(("https", host)) => ("https", host),
            Some(("http", host)) => ("http", host),
            _ => return Err(format!("the mirror `{}` is not a URL `https://HOST[:PORT]`", without_user(url))),
        };
        let host = host.trim_end_matches('/');
        if !is_host(host) {
            return Err(format!("the mirror `{}` is not a URL `https://HOST[:PORT]`", without_user(url)));
        }
        if scheme == "http" && !self.allows_plain(host) {
            return Err(format!(
                "the mirror `{url}` is not encrypted\nhelp: write `https://`, or add `insecure-registries = [\"{host}\"]`"
            ));
        }
        Ok(RegistryEndpoint { scheme: Some(scheme), host: host.to_owned() })
    }
}

/// Removes the user name and password of a URL.
fn without_user(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        _ => url.to_owned(),
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        _ => host,
    }
}

/// `localhost`, 127.0.0.0/8 or `::1`, with any port.
pub fn is_loopback(host: &str) -> bool {
    let name = without_port(host).trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_and_listed_hosts() {
        let access = Access { insecure: vec!["nas".into(), "other:5000".into()], ..Access::default() };
        for host in ["localhost", "localhost:5000", "127.0.0.1:1", "127.9.9.9", "[::1]:5000", "nas", "nas:80", "other:5000"] {
            assert!(access.allows_plain(host), "{host}");
        }
        for host in ["example.com", "localhost.example.com", "127.0.0.1.example.com:80", "other", "other:1", "10.0.0.1"] {
            assert!(!access.allows_plain(host), "{host}");
        }
    }

    #[test]
    fn mirrors_come_first() {
        let url = "http://127.0.0.1:5000/".to_owned();
        let access = Access { mirrors: [("docker.io".to_owned(), vec![url])].into(), ..Access::default() };
        let endpoints = access.endpoints("docker.io", "registry-1.docker.io").expect("endpoints");
        assert_eq!(endpoints[0], RegistryEndpoint { scheme: Some("http"), host: "127.0.0.1:5000".into() });
        assert_eq!(endpoints[1], RegistryEndpoint { scheme: Some("https"), host: "registry-1.docker.io".into() });
        assert!(access.mirror("http://example.com").expect_err("plain").contains("help: write `https://`"));
        let shown = access.mirror("https://user:secret@example.com").expect_err("a password");
        assert!(!shown.contains("secret"), "{shown}");
    }
}
