//! Sends one request: credentials, tokens, redirects, retries (distribution-spec, "Endpoints" and "Error Codes").

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use base64::Engine as _;
use ureq::http::{self, Uri};
use ureq::{Body, SendBody};

use super::Access;
use super::access::RegistryEndpoint;
use super::challenge::{Challenge, parse_token};
use super::connections::{Connections, Failure, judge};
use super::credentials::Store;
use super::refused::{login_help, refused};
use super::retry::{self, TRIES};
use super::secret::Credentials;
use super::secret::Secret;
use super::url::{host_of, is_of, located, query, shown};
use crate::diagnostic::Code;

/// The most redirects of one request.
pub(super) const REDIRECTS: u32 = 5;

/// The most bytes of a token server's response.
const LARGEST_ANSWER: u64 = 1 << 20;

/// A server's response.
pub(super) type Response = http::Response<Body>;

/// A request.
pub(super) struct Request<'a> {
    pub method: &'static str,
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    pub content: Content<'a>,
}

/// The body of a request, which can be sent again.
#[derive(Clone, Copy)]
pub(super) enum Content<'a> {
    None,
    Bytes(&'a [u8]),
    /// A stream of known length, opened once for each attempt. The caller retries by itself.
    Stream(u64, Open<'a>),
}

/// Opens the body.
pub type Open<'a> = &'a (dyn Fn() -> std::io::Result<Box<dyn Read>> + Sync);

/// A client for registries; threads may share it.
pub struct Client<'a> {
    connections: Connections,
    store: Store,
    /// The `Authorization` values that hosts accepted, by host and scopes.
    authorizations: Mutex<BTreeMap<(String, String), Secret>>,
    warn: Box<dyn Fn(String) + Send + Sync + 'a>,
    /// Of which failures the user knows.
    warned: Mutex<BTreeSet<String>>,
}

impl<'a> Client<'a> {
    /// Uses the credentials that the environment names. `warn` is called for what the user should know: failed attempts, and
    /// credential helpers that failed.
    pub fn new(access: Access, offline: bool, warn: impl Fn(String) + Send + Sync + 'a) -> Self {
        let connections = Connections::new(access, offline);
        Self {
            connections,
            store: Store::of_environment(),
            authorizations: Mutex::default(),
            warn: Box::new(warn),
            warned: Mutex::default(),
        }
    }

    /// The servers to ask for a registry's images.
    pub(super) fn endpoints(&self, registry: &str, host: &str) -> Result<Vec<RegistryEndpoint>> {
        self.connections.access().endpoints(registry, host).map_err(anyhow::Error::msg)
    }

    /// The registry itself.
    pub(super) fn origin(&self, host: &str) -> RegistryEndpoint {
        self.connections.access().origin(host)
    }

    /// `SCHEME://HOST/v2/PATH`
    pub(super) fn url(&self, endpoint: &RegistryEndpoint, path: &str) -> Result<String> {
        Ok(format!("{}/v2/{path}", self.connections.base(endpoint)?))
    }

    /// Fails if no connections are allowed.
    pub(super) fn online(&self, host: &str) -> Result<()> {
        self.connections.online(host)
    }

    pub(super) fn warn(&self, text: String) {
        (self.warn)(text);
    }

    /// Sends a request, and authenticates if the server asks for it. `scopes` are the needed permissions, as
    /// `repository:NAME:pull`; the first one names the repository whose credentials are used.
    ///
    /// # Errors
    /// When there is no response after several attempts, or authentication fails. A response with any other status is not an
    /// error.
    pub(super) fn send(&self, endpoint: &RegistryEndpoint, scopes: &[String], request: &Request<'_>) -> Result<Response> {
        let base = self.connections.base(endpoint)?;
        let key = (endpoint.host.clone(), scopes.join(" "));
        let mut convinced = false;
        loop {
            let authorization = self.authorizations.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
            let response = match request.content {
                Content::Stream(..) => self.follow(&base, request, authorization.as_ref()).map_err(|failure| failure.error)?,
                _ => self.patiently(&endpoint.host, || self.follow(&base, request, authorization.as_ref()))?,
            };
            if response.status() != 401 || convinced {
                return Ok(response);
            }
            convinced = true;
            let Some(authorization) = self.authorize(endpoint, scopes, &response)? else { return Ok(response) };
            self.authorizations.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), authorization);
        }
    }

    /// Retries until a response is not a temporary error, or the attempts are used up.
    pub(super) fn patiently(&self, host: &str, mut once: impl FnMut() -> Result<Response, Failure>) -> Result<Response> {
        for number in 1.. {
            let (why, asked) = match once() {
                Ok(response) if retry::is_passing(response.status().as_u16()) && number < TRIES => {
                    let asked = header(&response, "retry-after").and_then(|value| retry::retry_after(value, SystemTime::now()));
                    (format!("`{host}` answered {}", response.status()), asked)
                }
                Ok(response) => return Ok(response),
                Err(failure) if failure.passing && number < TRIES => (format!("{:#}", failure.error), None),
                Err(failure) => return Err(failure.error),
            };
            self.pause(number, asked, &why);
        }
        bail!("`{host}` refused too many requests")
    }

    /// Waits before the next attempt, with a warning like Cargo's. What fails in the same way again is not told again.
    pub(super) fn pause(&self, number: u32, asked: Option<Duration>, why: &str) {
        if self.warned.lock().unwrap_or_else(PoisonError::into_inner).insert(why.to_owned()) {
            self.warn(format!("spurious network error ({} tries remaining): {why}", TRIES - number));
        }
        std::thread::sleep(retry::pause(number, asked));
    }

    /// Sends once, and follows redirects of GET and HEAD requests. Only `base` gets the `Authorization` header.
    fn follow(&self, base: &str, request: &Request<'_>, authorization: Option<&Secret>) -> Result<Response, Failure> {
        let finally = |error| Failure { passing: false, error };
        let mut url = request.url.clone();
        let mut trusted = true;
        for _ in 0..=REDIRECTS {
            trusted &= is_of(&url, base);
            let response = self.once(request, &url, authorization.filter(|_| trusted))?;
            let location = header(&response, "location");
            let redirects = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
            match location {
                Some(location) if redirects && matches!(request.method, "GET" | "HEAD") => {
                    url = self.join(&url, location).map_err(finally)?;
                }
                // A redirect target may not ask for credentials.
                _ if !trusted && response.status() == 401 => return Err(finally(refused(&host_of(&url), response))),
                _ => return Ok(response),
            }
        }
        Err(finally(anyhow!("`{}` redirects more than {REDIRECTS} times", shown(&request.url))))
    }

    /// Resolves a `Location`; rejects a redirect from TLS to plain HTTP unless that is allowed.
    pub(super) fn join(&self, from: &str, location: &str) -> Result<String> {
        let url = located(from, location)?;
        let uri: Uri =
            url.parse().map_err(|_| anyhow!("`{}` redirects to `{}`, which is not a URL", shown(from), shown(&url)))?;
        let host = uri.authority().map_or("", http::uri::Authority::as_str);
        ensure!(!host.contains('@'), "`{}` redirects to a URL that contains a user name", shown(from));
        match uri.scheme_str() {
            Some("https") => Ok(url),
            Some("http") if self.connections.access().allows_plain(host) => Ok(url),
            _ => bail!("`{}` redirects to `{}`, which is not encrypted", shown(from), shown(&url)),
        }
    }

    /// Sends once.
    pub(super) fn once(&self, request: &Request<'_>, url: &str, authorization: Option<&Secret>) -> Result<Response, Failure> {
        let finally = |error| Failure { passing: false, error };
        let host = host_of(url);
        let scheme = url.split_once("://").map_or("https", |(scheme, _)| scheme);
        let agent = self.connections.agent(scheme, &host).map_err(finally)?;
        let mut builder = http::Request::builder().method(request.method).uri(url);
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        if let Some(authorization) = authorization {
            builder = builder.header("authorization", authorization.expose());
        }
        let wrong = |_| finally(anyhow!("`{}` is not a URL", shown(url)));
        let answer = match request.content {
            Content::None => agent.run(builder.body(()).map_err(wrong)?),
            Content::Bytes(bytes) => agent.run(builder.body(bytes).map_err(wrong)?),
            Content::Stream(size, open) => {
                let reader = open().map_err(|error| finally(error.into()))?;
                agent.run(builder.header("content-length", size).body(SendBody::from_owned_reader(reader)).map_err(wrong)?)
            }
        };
        answer.map_err(|error| judge(&host, error))
    }

    /// The `Authorization` for a 401 response; `None` if there is nothing to answer with.
    fn authorize(&self, endpoint: &RegistryEndpoint, scopes: &[String], refused: &Response) -> Result<Option<Secret>> {
        let values = refused.headers().get_all("www-authenticate").iter().filter_map(|value| value.to_str().ok());
        let Some(challenge) = Challenge::parse(values) else { return Ok(None) };
        let repository = scopes.first().and_then(|scope| scope.split(':').nth(1)).unwrap_or_default();
        let found = self.store.find(&endpoint.host, repository)?;
        found.warning.into_iter().for_each(|warning| self.warn(warning));
        match (challenge, found.credentials) {
            (Challenge::Basic, Some(Credentials::Basic(user, password))) => Ok(Some(basic(&user, &password))),
            (Challenge::Basic, _) => Ok(None),
            (Challenge::Bearer { realm, service, scope }, credentials) => {
                let scopes = if scopes.is_empty() { scope.into_iter().collect() } else { scopes.to_vec() };
                let token = self
                    .token(&endpoint.host, &realm, service.as_deref(), &scopes, credentials)
                    .with_context(|| format!("failed to get a token for `{}` from `{}`", endpoint.host, shown(&realm)))?;
                Ok(Some(Secret::new(format!("Bearer {}", token.expose()))))
            }
        }
    }

    /// Gets a token from a token server (distribution, "Token Authentication" and "OAuth2 Token Authentication").
    fn token(
        &self,
        host: &str,
        realm: &str,
        service: Option<&str>,
        scopes: &[String],
        credentials: Option<Credentials>,
    ) -> Result<Secret> {
        ensure!(realm.contains("://"), "it is not a URL");
        let realm = self.join(realm, realm)?;
        let mut fields: Vec<(&str, &str)> = service.map(|service| ("service", service)).into_iter().collect();
        fields.extend(scopes.iter().map(|scope| ("scope", scope.as_str())));
        let mut headers = vec![("accept", "application/json".to_owned())];
        let (joined, form);
        let (request, authorization) = match &credentials {
            Some(Credentials::Identity(token)) => {
                joined = scopes.join(" ");
                fields.retain(|(name, _)| *name != "scope");
                fields.extend([("scope", joined.as_str()), ("grant_type", "refresh_token"), ("client_id", "cargo-appbundle")]);
                fields.push(("refresh_token", token.expose()));
                form = query(&fields);
                headers.push(("content-type", "application/x-www-form-urlencoded".into()));
                (Request { method: "POST", url: realm.clone(), headers, content: Content::Bytes(form.as_bytes()) }, None)
            }
            other => {
                let authorization = match other {
                    Some(Credentials::Basic(user, password)) => Some(basic(user, password)),
                    _ => None,
                };
                let separator = if realm.contains('?') { '&' } else { '?' };
                let url = format!("{realm}{separator}{}", query(&fields));
                (Request { method: "GET", url, headers, content: Content::None }, authorization)
            }
        };
        let mut response = self.patiently(&host_of(&realm), || self.once(&request, &request.url, authorization.as_ref()))?;
        let status = response.status();
        if matches!(status.as_u16(), 401 | 403) {
            bail!(Code::RegistryLogin.error(format!("it answered {status}{}", login_help(host))));
        }
        ensure!(status == 200, "it answered {status}");
        let bytes = response.body_mut().with_config().limit(LARGEST_ANSWER).read_to_vec();
        parse_token(&bytes.context("failed to read its response")?).map_err(anyhow::Error::msg)
    }
}

/// A header's value, if it is text.
pub(super) fn header<'r>(response: &'r Response, name: &str) -> Option<&'r str> {
    response.headers().get(name)?.to_str().ok()
}

fn basic(user: &str, password: &Secret) -> Secret {
    let joined = format!("{user}:{}", password.expose());
    Secret::new(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(joined)))
}
