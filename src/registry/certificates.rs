//! CA certificates for verifying hosts, and client certificates for this machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey};

/// Where distributions store the trusted CA certificates.
const SYSTEM: [&str; 4] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"];

/// The cryptography provider for TLS.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The CA certificates for a host: those of `SSL_CERT_FILE`, otherwise this machine's, otherwise the web's; plus those configured
/// for the host in Docker or podman.
pub fn roots(host: &str) -> Result<Vec<Certificate<'static>>> {
    let named = std::env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty()).map(PathBuf::from);
    let system = || SYSTEM.iter().map(PathBuf::from).find(|path| path.is_file());
    let mut roots = match named.or_else(system) {
        Some(path) => pem(&path)?,
        None => webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|der| Certificate::from_der(der).to_owned()).collect(),
    };
    for path in files(host, "crt") {
        roots.extend(pem(&path)?);
    }
    Ok(roots)
}

/// The client certificate for a host with its chain and key, as configured in Docker or podman: `NAME.cert` and `NAME.key`. If
/// there are several, the first by folder and name is used.
///
/// # Errors
/// When one of the two files is missing or cannot be read, or they do not belong together. Errors never show a file's content.
pub fn identity(host: &str) -> Result<Option<ClientCert>> {
    for key in files(host, "key") {
        let certificate = key.with_extension("cert");
        if !certificate.is_file() {
            bail!("the certificate of the key `{}` is missing: `{}`", key.display(), certificate.display());
        }
    }
    let Some(path) = files(host, "cert").into_iter().next() else { return Ok(None) };
    let key_path = path.with_extension("key");
    if !key_path.is_file() {
        bail!(
            "the key of the client certificate `{}` is missing: `{}`\nhelp: if it is a CA certificate, its name must end in `.crt`",
            path.display(),
            key_path.display()
        );
    }
    let certificates = pem(&path)?;
    let key = key_of(&key_path)?;
    fit(&certificates, &key)
        .with_context(|| format!("the certificate `{}` and the key `{}` cannot be used", path.display(), key_path.display()))?;
    Ok(Some(ClientCert::new_with_certs(&certificates, key)))
}

/// Checks that a key can be used and belongs to its certificate, which the HTTP client assumes.
fn fit(certificates: &[Certificate<'static>], key: &PrivateKey<'static>) -> Result<()> {
    let key = PrivateKeyDer::try_from(key.der().to_vec()).map_err(|why| anyhow!(why))?;
    let chain = certificates.iter().map(|certificate| CertificateDer::from(certificate.der().to_vec())).collect();
    match CertifiedKey::from_der(chain, key, &provider()) {
        Ok(_) => Ok(()),
        Err(rustls::Error::InconsistentKeys(_)) => bail!("the key does not belong to the certificate"),
        Err(error) => Err(anyhow!(error)),
    }
}

/// Reads the key of a file.
fn key_of(path: &Path) -> Result<PrivateKey<'static>> {
    let failed = || format!("failed to read a key from `{}`", path.display());
    let bytes = std::fs::read(path).with_context(failed)?;
    let keys = ureq::tls::parse_pem(&bytes).filter_map(Result::ok);
    let mut keys = keys.filter_map(|item| if let PemItem::PrivateKey(key) = item { Some(key) } else { None });
    keys.next().context("it has no unencrypted private key").with_context(failed)
}

/// The files of one kind that are configured for a host, sorted by folder and name.
fn files(host: &str, kind: &str) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for folder in certificates() {
        let entries = std::fs::read_dir(folder.join(host)).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut found: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|other| other == kind)).collect();
        found.sort();
        all.extend(found);
    }
    all
}

/// Where Docker and podman keep the certificates of single hosts: the system's folders, and the user's own for rootless use
/// (docker's "rootless mode"; containers-certs.d(5)).
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
        return Err(anyhow!("it contains no certificate")).with_context(failed);
    }
    Ok(found)
}
