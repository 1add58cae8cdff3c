//! The only access to HTTP and TLS: an agent for each host, with that host's certificates.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use rustls::AlertDescription;
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};

use super::access::{Access, RegistryEndpoint};
use super::certificates::{identity, provider, roots};
use super::proxies;
use crate::diagnostic::{Code, Diagnostic};

/// The agents and schemes of the hosts that were contacted.
#[derive(Debug)]
pub struct Connections {
    access: Access,
    offline: bool,
    /// The agents, by scheme and host.
    agents: Mutex<BTreeMap<(String, String), Agent>>,
    schemes: Mutex<BTreeMap<String, Arc<Mutex<Option<&'static str>>>>>,
}

/// A request without a response.
#[derive(Debug)]
pub struct Failure {
    /// Whether a retry may succeed.
    pub passing: bool,
    /// The error.
    pub error: anyhow::Error,
}

impl Connections {
    /// No connections yet; with `offline`, none are allowed.
    pub fn new(access: Access, offline: bool) -> Self {
        Self { access, offline, agents: Mutex::default(), schemes: Mutex::default() }
    }

    /// The user's settings.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// `SCHEME://HOST` of a server. If plain HTTP is allowed, TLS is tried first.
    ///
    /// # Errors
    /// When offline, or when the server uses TLS and either side rejects the other's certificate.
    pub fn base(&self, endpoint: &RegistryEndpoint) -> Result<String> {
        let host = &endpoint.host;
        self.online(host)?;
        let scheme = match endpoint.scheme {
            Some(scheme) => scheme,
            None => self.scheme(host)?,
        };
        Ok(format!("{scheme}://{host}"))
    }

    /// Fails if no connections are allowed.
    ///
    /// # Errors
    /// When offline.
    pub fn online(&self, host: &str) -> Result<()> {
        if self.offline {
            bail!(
                Code::RegistryOffline.error(format!(
                    "`{host}` cannot be reached because `--offline` was passed\nhelp: run once without `--offline`"
                ))
            );
        }
        Ok(())
    }

    /// Of several threads, only one asks the host.
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
        let config =
            self.agent("https", host)?.get(format!("https://{host}/v2/")).config().timeout_global(Some(Duration::from_secs(10)));
        let scheme = match config.build().call() {
            Ok(_) => "https",
            Err(error) => {
                let failure = judge(host, error);
                if is_untrusted(&failure.error) {
                    return Err(failure.error);
                }
                "http"
            }
        };
        Ok(scheme)
    }

    /// The agent for a host; it does not follow redirects.
    ///
    /// # Errors
    /// When a certificate or a proxy setting cannot be read.
    pub fn agent(&self, scheme: &str, host: &str) -> Result<Agent> {
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (scheme.to_owned(), host.to_owned());
        if let Some(agent) = agents.get(&key) {
            return Ok(agent.clone());
        }
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(provider())
            .root_certs(RootCerts::new_with_certs(&roots(host)?))
            .client_cert(identity(host)?)
            .build();
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("cargo-appbundle/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .timeout_connect(Some(Duration::from_secs(20)))
            .timeout_recv_response(Some(Duration::from_secs(300)))
            .timeout_per_read(Some(Duration::from_secs(60)))
            .timeout_per_write(Some(Duration::from_secs(60)))
            .proxy(proxies::of_environment(scheme, host)?);
        let agent = Agent::new_with_config(config.build());
        agents.insert(key, agent.clone());
        Ok(agent)
    }
}

/// Whether either side rejected the other's certificate.
fn is_untrusted(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Diagnostic>().is_some_and(|diagnostic| diagnostic.code == Code::RegistryCertificate)
}

/// Turns a failed request into an error.
pub fn judge(host: &str, error: ureq::Error) -> Failure {
    let tls = match &error {
        ureq::Error::Rustls(tls) => Some(tls),
        ureq::Error::Io(io) => io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()),
        _ => None,
    };
    if let Some(rustls::Error::InvalidCertificate(why)) = tls {
        let error = Code::RegistryCertificate.error(format!(
            "the certificate of `{host}` is not trusted: {why}\nhelp: put its CA's certificate into `/etc/docker/certs.d/{host}/ca.crt`, or set `SSL_CERT_FILE` to it"
        ));
        return Failure { passing: false, error: error.into() };
    }
    if let Some(rustls::Error::AlertReceived(alert)) = tls.filter(|error| is_about_us(error)) {
        let error = Code::RegistryCertificate.error(format!(
            "`{host}` requires a client certificate that it trusts ({alert:?})\nhelp: put one and its key into `/etc/docker/certs.d/{host}/client.cert` and `client.key`"
        ));
        return Failure { passing: false, error: error.into() };
    }
    if let Some(rustls::Error::InvalidMessage(_)) = tls {
        let error = Code::RegistryPlainHttp.error(format!(
            "`{host}` does not speak TLS\nhelp: to use plain HTTP, add `insecure-registries = [\"{host}\"]` or `--insecure-registry {host}`"
        ));
        return Failure { passing: false, error: error.into() };
    }
    let passing = match &error {
        ureq::Error::Timeout(_) | ureq::Error::ConnectionFailed | ureq::Error::Protocol(_) | ureq::Error::BodyStalled => true,
        ureq::Error::Io(_) => tls.is_none(),
        _ => false,
    };
    let error = match error {
        // Its text would contain the whole URL, whose query may contain secrets.
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => anyhow!("it returned an invalid URL"),
        error => anyhow!(error),
    };
    Failure { passing, error: error.context(Code::RegistryUnreachable.error(format!("failed to reach `{host}`"))) }
}

/// Whether a server's TLS alert asks for a client certificate, or rejects the one it got (RFC 8446, 6.2).
fn is_about_us(error: &rustls::Error) -> bool {
    use AlertDescription as Alert;
    matches!(
        error,
        rustls::Error::AlertReceived(
            Alert::CertificateRequired
                | Alert::BadCertificate
                | Alert::UnsupportedCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateExpired
                | Alert::CertificateUnknown
                | Alert::UnknownCA
                | Alert::AccessDenied
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_speak_tls_gets_a_code_and_no_second_try() {
        let wrong = rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType);
        let Failure { passing, error } = judge("registry.local:5000", ureq::Error::Rustls(wrong));
        assert!(!passing && error.downcast_ref::<Diagnostic>().is_some_and(|d| d.code == Code::RegistryPlainHttp), "{error}");
    }
}
