//! The one door to HTTP and TLS: an agent for each host, with the certificates that are good for it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider};

use super::access::{Access, Endpoint, is_loopback};

/// Where distributions keep the certificates that this machine trusts.
const SYSTEM: [&str; 4] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"];

/// Agents and schemes of the hosts that were spoken to.
#[derive(Debug)]
pub struct Connections {
    access: Access,
    offline: bool,
    agents: Mutex<BTreeMap<String, Agent>>,
    schemes: Mutex<BTreeMap<String, Arc<Mutex<Option<&'static str>>>>>,
}

/// A request that got no answer.
#[derive(Debug)]
pub struct Failure {
    /// Whether it is worth another try.
    pub passing: bool,
    /// What happened.
    pub error: anyhow::Error,
}

impl Connections {
    /// None yet. When `offline`, there will be none.
    pub fn new(access: Access, offline: bool) -> Self {
        Self { access, offline, agents: Mutex::default(), schemes: Mutex::default() }
    }

    /// What the user allows.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// `SCHEME://HOST` of a server. Where plain HTTP is allowed, TLS is tried first.
    ///
    /// # Errors
    /// When we are offline, or the server speaks TLS with a certificate that is not trusted.
    pub fn base(&self, endpoint: &Endpoint) -> Result<String> {
        let host = &endpoint.host;
        if self.offline {
            bail!("`{host}` cannot be asked, since `--offline` was passed\nhelp: run once without `--offline`");
        }
        let scheme = match endpoint.scheme {
            Some(scheme) => scheme,
            None => self.scheme(host)?,
        };
        Ok(format!("{scheme}://{host}"))
    }

    /// Of all that want to know, one asks the host.
    fn scheme(&self, host: &str) -> Result<&'static str> {
        let known = Arc::clone(self.schemes.lock().unwrap_or_else(PoisonError::into_inner).entry(host.to_owned()).or_default());
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        let scheme = match *known {
            Some(scheme) => scheme,
            None => self.probe(host)?,
        };
        *known = Some(scheme);
        Ok(scheme)
    }

    fn probe(&self, host: &str) -> Result<&'static str> {
        let config = self.agent(host)?.get(format!("https://{host}/v2/")).config().timeout_global(Some(Duration::from_secs(10)));
        let scheme = match config.build().call() {
            Ok(_) => "https",
            Err(error) => {
                let failure = judge(host, error);
                if failure.error.is::<Untrusted>() {
                    return Err(failure.error);
                }
                "http"
            }
        };
        Ok(scheme)
    }

    /// The agent for a host; it follows no redirects.
    pub fn agent(&self, host: &str) -> Result<Agent> {
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(agent) = agents.get(host) {
            return Ok(agent.clone());
        }
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(RootCerts::new_with_certs(&roots(host)?))
            .build();
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("cargo-appbundle/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .timeout_connect(Some(Duration::from_secs(20)))
            .timeout_recv_response(Some(Duration::from_secs(300)))
            .timeout_per_read(Some(Duration::from_secs(60)))
            .timeout_per_write(Some(Duration::from_secs(60)));
        if is_loopback(host) {
            config = config.proxy(None);
        }
        let agent = Agent::new_with_config(config.build());
        agents.insert(host.to_owned(), agent.clone());
        Ok(agent)
    }
}

/// A server whose certificate nobody vouches for.
#[derive(Debug)]
struct Untrusted {
    host: String,
    why: String,
}

impl std::fmt::Display for Untrusted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { host, why } = self;
        write!(
            f,
            "the certificate of `{host}` is not trusted: {why}\nhelp: put its CA's certificate into `/etc/docker/certs.d/{host}/ca.crt`, or name it by `SSL_CERT_FILE`"
        )
    }
}

impl std::error::Error for Untrusted {}

/// What a failed request means.
pub fn judge(host: &str, error: ureq::Error) -> Failure {
    let tls = match &error {
        ureq::Error::Rustls(tls) => Some(tls),
        ureq::Error::Io(io) => io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()),
        _ => None,
    };
    if let Some(rustls::Error::InvalidCertificate(why)) = tls {
        return Failure { passing: false, error: Untrusted { host: host.to_owned(), why: why.to_string() }.into() };
    }
    if let Some(rustls::Error::InvalidMessage(_)) = tls {
        let error = anyhow!(
            "`{host}` does not speak TLS\nhelp: if it is to be plain HTTP, add `insecure-registries = [\"{host}\"]` or `--insecure-registry {host}`"
        );
        return Failure { passing: false, error };
    }
    let passing = match &error {
        ureq::Error::Timeout(_) | ureq::Error::ConnectionFailed | ureq::Error::Protocol(_) | ureq::Error::BodyStalled => true,
        ureq::Error::Io(_) => tls.is_none(),
        _ => false,
    };
    let error = match error {
        // It would show the whole URL, and what stands behind `?` may be as good as a password.
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => anyhow!("it gave a URL that cannot be used"),
        error => anyhow!(error),
    };
    Failure { passing, error: error.context(format!("failed to ask `{host}`")) }
}

/// The certificates that vouch for a host: those of `SSL_CERT_FILE`, else this machine's, else the web's; and those that
/// Docker or podman were given for the host.
fn roots(host: &str) -> Result<Vec<Certificate<'static>>> {
    let named = std::env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty()).map(PathBuf::from);
    let system = || SYSTEM.iter().map(PathBuf::from).find(|path| path.is_file());
    let mut roots = match named.or_else(system) {
        Some(path) => pem(&path)?,
        None => webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|der| Certificate::from_der(der).to_owned()).collect(),
    };
    for folder in certificates() {
        for entry in std::fs::read_dir(folder.join(host)).into_iter().flatten().flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "crt") {
                roots.extend(pem(&entry.path())?);
            }
        }
    }
    Ok(roots)
}

/// Where Docker and podman keep the certificates of single hosts: the machine's, and the user's own, as both have them when they run
/// without root (docker's "rootless mode"; containers-certs.d(5)).
fn certificates() -> Vec<PathBuf> {
    let config = std::env::var_os("XDG_CONFIG_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let config = config.or_else(|| Some(std::env::home_dir()?.join(".config")));
    let of_user = config.into_iter().flat_map(|config| [config.join("docker/certs.d"), config.join("containers/certs.d")]);
    ["/etc/docker/certs.d", "/etc/containers/certs.d"].map(PathBuf::from).into_iter().chain(of_user).collect()
}

fn pem(path: &Path) -> Result<Vec<Certificate<'static>>> {
    let failed = || format!("failed to read certificates from `{}`", path.display());
    let bytes = std::fs::read(path).with_context(failed)?;
    let mut found = Vec::new();
    for item in ureq::tls::parse_pem(&bytes) {
        if let PemItem::Certificate(certificate) = item.map_err(|_| anyhow!("it is not PEM")).with_context(failed)? {
            found.push(certificate);
        }
    }
    if found.is_empty() {
        return Err(anyhow!("it has no certificate")).with_context(failed);
    }
    Ok(found)
}
