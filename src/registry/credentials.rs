//! Finds credentials where `docker login` and `podman login` store them (docker config.json; containers-auth.json(5)).

mod helper;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use serde::Deserialize;

use super::secret::{Credentials, Secret};

/// The files that may hold credentials, in search order.
#[derive(Clone, Debug, Default)]
pub struct Store {
    files: Vec<PathBuf>,
}

/// The result of a search.
#[derive(Debug, Default)]
pub struct Found {
    /// The credentials; `None` for anonymous access.
    pub credentials: Option<Credentials>,
    /// A warning for the user.
    pub warning: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct File {
    auths: BTreeMap<String, Entry>,
    creds_store: Option<String>,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
}

impl Store {
    /// The files named by the environment.
    pub fn of_environment() -> Self {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = std::env::home_dir();
        let config = variable("XDG_CONFIG_HOME").or_else(|| Some(home.as_ref()?.join(".config")));
        let files = [
            variable("REGISTRY_AUTH_FILE"),
            variable("DOCKER_CONFIG").map(|folder| folder.join("config.json")),
            variable("XDG_RUNTIME_DIR").map(|folder| folder.join("containers/auth.json")),
            config.map(|folder| folder.join("containers/auth.json")),
            home.map(|home| home.join(".docker/config.json")).filter(|_| variable("DOCKER_CONFIG").is_none()),
        ];
        Self { files: files.into_iter().flatten().collect() }
    }

    /// The credentials for a repository: the longest matching entry of the first file that has one.
    ///
    /// # Errors
    /// When a file is invalid, or the credential helper of this registry fails. Errors never show a file's content or a helper's
    /// output.
    pub fn find(&self, registry: &str, repository: &str) -> Result<Found> {
        let mut warning = None;
        for path in &self.files {
            let Ok(bytes) = std::fs::read(path) else { continue };
            let found = find_in(path, &bytes, registry, repository)
                .with_context(|| format!("failed to get credentials for `{registry}` from `{}`", path.display()))?;
            if found.credentials.is_some() {
                return Ok(found);
            }
            warning = warning.or(found.warning);
        }
        Ok(Found { credentials: None, warning })
    }
}

fn find_in(path: &Path, bytes: &[u8], registry: &str, repository: &str) -> Result<Found> {
    let file: File = serde_json::from_slice(bytes).map_err(|error| {
        // The parser's own message may quote a password.
        anyhow::anyhow!("{}:{}:{}: invalid JSON or wrong type", path.display(), error.line(), error.column())
    })?;
    let names = names(registry, repository);
    let matching = |key: &str| names.iter().position(|name| *name == plain(key));
    if let Some((key, program)) =
        file.cred_helpers.iter().filter(|(key, _)| matching(key).is_some()).min_by_key(|(key, _)| matching(key))
    {
        return Ok(Found { credentials: helper::ask(program, key)?, warning: None });
    }
    let mut entries: Vec<_> = file.auths.iter().filter_map(|(key, entry)| Some((matching(key)?, key, entry))).collect();
    entries.sort_by_key(|(at, ..)| *at);
    for (_, key, entry) in &entries {
        if let Some(credentials) = entry.credentials().with_context(|| format!("the entry `{key}` is invalid"))? {
            return Ok(Found { credentials: Some(credentials), warning: None });
        }
    }
    let Some(program) = &file.creds_store else { return Ok(Found::default()) };
    // Docker stores credentials under the host that was logged in to. For Docker Hub without a host, it uses this key.
    let key = entries
        .first()
        .map_or_else(|| if is_hub(registry) { HUB_KEY.to_owned() } else { registry.to_owned() }, |(_, key, _)| (*key).clone());
    Ok(match helper::ask(program, &key) {
        Ok(credentials) => Found { credentials, warning: None },
        // A helper for all registries may not be needed for this one.
        Err(error) => {
            Found { credentials: None, warning: Some(format!("continuing without credentials for `{registry}`: {error:#}")) }
        }
    })
}

const HUB_KEY: &str = "https://index.docker.io/v1/";

fn is_hub(registry: &str) -> bool {
    matches!(registry, "docker.io" | "registry-1.docker.io" | "index.docker.io")
}

/// The keys under which credentials for a repository may be stored, the most specific first.
fn names(registry: &str, repository: &str) -> Vec<String> {
    let hosts: &[&str] = if is_hub(registry) { &["docker.io", "index.docker.io", "registry-1.docker.io"] } else { &[registry] };
    let mut names = Vec::new();
    for host in hosts {
        let mut name = format!("{host}/{repository}");
        while let Some((shorter, _)) = name.rsplit_once('/') {
            names.push(name.clone());
            name = shorter.to_owned();
        }
        names.push((*host).to_owned());
    }
    names.sort_by_key(|name| std::cmp::Reverse(name.matches('/').count()));
    names
}

/// A key without the scheme and path that old versions of Docker wrote.
fn plain(key: &str) -> String {
    let key = key.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/');
    key.strip_suffix("/v1").or_else(|| key.strip_suffix("/v2")).unwrap_or(key).to_owned()
}

impl Entry {
    fn credentials(&self) -> Result<Option<Credentials>> {
        let text = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
        if let Some(token) = text(&self.identitytoken) {
            return Ok(Some(Credentials::Identity(Secret::new(token))));
        }
        if let (Some(user), Some(password)) = (text(&self.username), text(&self.password)) {
            return Ok(Some(Credentials::Basic(user, Secret::new(password))));
        }
        let Some(auth) = text(&self.auth) else { return Ok(None) };
        let decoded = base64::engine::general_purpose::STANDARD.decode(auth.trim()).ok().and_then(|b| String::from_utf8(b).ok());
        let Some(decoded) = decoded else { bail!("its `auth` is not base64") };
        let Some((user, password)) = decoded.split_once(':') else { bail!("its `auth` is not `USER:PASSWORD` in base64") };
        // Old versions of Docker padded with zero bytes.
        Ok(Some(Credentials::Basic(user.to_owned(), Secret::new(password.trim_matches('\0')))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(file: &str, registry: &str, repository: &str) -> Result<Option<String>> {
        let found = find_in(Path::new("config.json"), file.as_bytes(), registry, repository)?;
        Ok(found.credentials.map(|credentials| match credentials {
            Credentials::Basic(user, password) => format!("{user}:{}", password.expose()),
            Credentials::Identity(token) => token.expose().to_owned(),
        }))
    }

    #[test]
    fn files_of_docker_and_podman_are_read() {
        let file = r#"{"auths": {
            "https://index.docker.io/v1/": {"auth": "dTpw"},
            "ghcr.io": {"username": "g", "password": "h:i"},
            "ghcr.io/team": {"username": "t", "password": "w"},
            "quay.io": {"identitytoken": "long"},
            "empty.io": {}
        }, "HttpHeaders": {}}"#;
        let get = |registry, repository| find(file, registry, repository).expect("read");
        assert_eq!(get("docker.io", "library/debian"), Some("u:p".into()));
        assert_eq!(get("ghcr.io", "other/a"), Some("g:h:i".into()));
        assert_eq!(get("ghcr.io", "team/a"), Some("t:w".into()));
        assert_eq!(get("ghcr.io", "teams/a"), Some("g:h:i".into()));
        assert_eq!(get("quay.io", "a"), Some("long".into()));
        assert_eq!(get("empty.io", "a"), None);
        assert_eq!(get("evil-ghcr.io", "a"), None);
    }

    #[test]
    fn an_error_does_not_show_what_stands_in_the_file() {
        for file in [
            r#"{"auths": "hunter2"}"#,
            r#"{"auths": {"a.io": {"auth": "hunter2!"}}}"#,
            r#"{"auths": {"a.io": {"auth": "aHVudGVyMg=="}}}"#,
        ] {
            let error = format!("{:?}", find(file, "a.io", "b").expect_err("damaged"));
            assert!(!error.contains("hunter2") && !error.contains("aHVudGVyMg"), "{error}");
        }
    }
}
