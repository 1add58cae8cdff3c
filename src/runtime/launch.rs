//! A compose file (Compose Specification) as what is started, in what order.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value};

use super::variables::{replaced, scalar};
use crate::app::{Port, Volume, VolumeSource};

/// One service to be started.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Launch {
    /// Its name.
    pub name: String,
    /// Names by which others find it.
    pub aliases: Vec<String>,
    /// Its image.
    pub image: String,
    /// Services that have to be well before it starts.
    pub after: Vec<String>,
    /// Instead of the image's.
    pub entrypoint: Option<Vec<String>>,
    /// Instead of the image's.
    pub command: Option<Vec<String>>,
    /// Over the image's.
    pub environment: BTreeMap<String, String>,
    /// Ports.
    pub ports: Vec<Port>,
    /// Ports that get a free one of this machine.
    pub free: Vec<Port>,
    /// Volumes.
    pub volumes: Vec<Volume>,
    /// Instead of the image's.
    pub user: Option<String>,
    /// Instead of the image's.
    pub workdir: Option<String>,
    /// `host`, `none`, `bridge`.
    pub network_mode: Option<String>,
    /// Devices of the host.
    pub devices: Vec<String>,
    /// Whether it may do all.
    pub privileged: bool,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// How to see that it is well.
    pub check: Option<Check>,
    /// Whether it is what a service needs, and no service.
    pub dependency: bool,
}

/// How to see that a service is well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What is asked.
    pub ask: Ask,
    /// How long one answer may take.
    pub timeout: Duration,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// An HTTP path at a port, which answers 2xx.
    Http(String, u16),
    /// A port, which takes connections.
    Port(u16),
    /// A command in the container, which ends with 0.
    Command(Vec<String>),
}

/// Keys that mean nothing while one tries an app out.
const WITHOUT_MEANING: [&str; 8] =
    ["build", "container_name", "deploy", "hostname", "logging", "platform", "pull_policy", "restart"];

/// Reads a compose file's document; gives what it says that is not applied, too. Relative paths begin at `folder`.
///
/// # Errors
/// When a service has no image, or something in it cannot be made out.
pub fn launches(document: &Value, folder: &Path) -> Result<(Vec<Launch>, Vec<String>)> {
    let services = document.get("services").context("it has no `services`")?;
    let services = replaced(services, &|name| std::env::var(name).ok())?;
    let services = services.as_object().context("its `services` are not a map")?;
    let (mut launches, mut notes) = (Vec::new(), Vec::new());
    for (name, service) in services {
        let service = service.as_object().with_context(|| format!("its service `{name}` is not a map"))?;
        let mut reader = Reader { service, folder, unread: service.keys().map(String::as_str).collect() };
        launches.push(reader.launch(name).with_context(|| format!("its service `{name}` cannot be made out"))?);
        let unread: Vec<&str> = reader.unread.into_iter().filter(|key| !WITHOUT_MEANING.contains(key)).collect();
        if !unread.is_empty() {
            notes.push(format!("`{}` of the service `{name}` is not applied here", unread.join("`, `")));
        }
    }
    Ok((launches, notes))
}

struct Reader<'a> {
    service: &'a Map<String, Value>,
    folder: &'a Path,
    unread: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    fn take(&mut self, key: &str) -> Option<&'a Value> {
        self.unread.retain(|other| *other != key);
        self.service.get(key).filter(|value| !value.is_null())
    }

    fn text(&mut self, key: &str) -> Option<String> {
        self.take(key).map(scalar)
    }

    /// A list of strings; a single string is a command line, or one of them.
    fn list(&mut self, key: &str) -> Vec<String> {
        match self.take(key) {
            Some(Value::Array(items)) => items.iter().map(scalar).collect(),
            Some(value @ Value::String(_)) => vec![scalar(value)],
            _ => Vec::new(),
        }
    }

    fn words(&mut self, key: &str) -> Result<Option<Vec<String>>> {
        match self.take(key) {
            None => Ok(None),
            Some(value @ Value::String(_)) => Ok(Some(crate::process::split(&scalar(value))?)),
            Some(_) => Ok(Some(self.list(key))),
        }
    }

    /// The same of variables; one without a value has that of this process, or is not set.
    fn environment(&mut self) -> BTreeMap<String, String> {
        let handed_down = |name: &str| Some((name.to_owned(), std::env::var(name).ok()?));
        match self.take("environment") {
            Some(Value::Object(map)) => {
                let pairs = map.iter().filter_map(|(name, value)| match value {
                    Value::Null => handed_down(name),
                    value => Some((name.clone(), scalar(value))),
                });
                pairs.collect()
            }
            Some(Value::Array(items)) => {
                let pairs = items.iter().filter_map(|item| {
                    let text = scalar(item);
                    match text.split_once('=') {
                        Some((name, value)) => Some((name.to_owned(), value.to_owned())),
                        None => handed_down(&text),
                    }
                });
                pairs.collect()
            }
            _ => BTreeMap::new(),
        }
    }

    /// A map, or a list of `NAME=value`.
    fn pairs(&mut self, key: &str) -> BTreeMap<String, String> {
        match self.take(key) {
            Some(Value::Object(map)) => map.iter().map(|(name, value)| (name.clone(), scalar(value))).collect(),
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| {
                    let text = scalar(item);
                    let (name, value) = text.split_once('=').unwrap_or((&text, ""));
                    (name.to_owned(), value.to_owned())
                })
                .collect(),
            _ => BTreeMap::new(),
        }
    }

    fn launch(&mut self, name: &str) -> Result<Launch> {
        let mut environment = BTreeMap::new();
        for file in self.list("env_file") {
            environment.extend(read_environment(&self.folder.join(file))?);
        }
        environment.extend(self.environment());
        let after = match self.take("depends_on") {
            Some(Value::Object(map)) => map.keys().cloned().collect(),
            _ => self.list("depends_on"),
        };
        let mut ports = Vec::new();
        for port in self.take("ports").and_then(Value::as_array).into_iter().flatten() {
            ports.push(Port::parse(&short_port(port)).map_err(anyhow::Error::msg)?);
        }
        // These are for other services alone; compose also takes ranges, which mean nothing more.
        let exposed = self.take("expose").and_then(Value::as_array).into_iter().flatten();
        ports.extend(exposed.filter_map(|port| Port::parse(&scalar(port)).ok()));
        let mut volumes = Vec::new();
        for volume in self.take("volumes").and_then(Value::as_array).into_iter().flatten() {
            volumes.push(parse_volume(volume, self.folder)?);
        }
        let mut aliases = vec![name.to_owned()];
        aliases.extend(self.text("container_name").filter(|other| other != name));
        Ok(Launch {
            name: name.to_owned(),
            aliases,
            image: self.text("image").context("it has no `image`")?,
            after,
            entrypoint: self.words("entrypoint")?,
            command: self.words("command")?,
            environment,
            ports,
            free: Vec::new(),
            volumes,
            user: self.text("user"),
            workdir: self.text("working_dir"),
            network_mode: self.text("network_mode"),
            devices: self.list("devices"),
            privileged: self.take("privileged").and_then(Value::as_bool).unwrap_or_default(),
            labels: self.pairs("labels"),
            check: self.take("healthcheck").and_then(check),
            dependency: false,
        })
    }
}

fn check(value: &Value) -> Option<Check> {
    let words: Vec<String> = match value.get("test")? {
        Value::Array(items) => items.iter().map(scalar).collect(),
        text => vec!["CMD-SHELL".into(), scalar(text)],
    };
    let command = match words.split_first()? {
        (kind, rest) if kind == "CMD" => rest.to_vec(),
        (kind, [line]) if kind == "CMD-SHELL" => vec!["/bin/sh".into(), "-c".into(), line.clone()],
        _ => return None,
    };
    Some(Check { ask: Ask::Command(command), timeout: duration(value.get("timeout").and_then(Value::as_str)) })
}

/// In compose's words, such as `1m30s`; 5 seconds if there is none.
pub fn duration(text: Option<&str>) -> Duration {
    text.and_then(|text| humantime::parse_duration(text).ok()).unwrap_or(Duration::from_secs(5))
}

/// Lines of `NAME=value`.
pub fn read_environment(path: &Path) -> Result<BTreeMap<String, String>> {
    let text = fs_err::read_to_string(path)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once('='));
    let plain = |value: &str| {
        let value = value.trim();
        let quoted = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
        quoted.unwrap_or(value).to_owned()
    };
    Ok(pairs.map(|(name, value)| (name.trim().to_owned(), plain(value))).collect())
}

fn short_port(value: &Value) -> String {
    let Some(map) = value.as_object() else { return scalar(value) };
    let part = |key: &str| map.get(key).map(scalar);
    let host = part("host_ip").map(|ip| format!("{ip}:")).unwrap_or_default();
    let published = part("published").map(|port| format!("{host}{port}:")).unwrap_or_default();
    format!("{published}{}{}", part("target").unwrap_or_default(), part("protocol").map(|p| format!("/{p}")).unwrap_or_default())
}

fn parse_volume(value: &Value, folder: &Path) -> Result<Volume> {
    let text = match value.as_object() {
        None => scalar(value),
        Some(map) => {
            let part = |key: &str| map.get(key).map(scalar).unwrap_or_default();
            if !matches!(part("type").as_str(), "bind" | "volume") {
                bail!("a volume of the type `{}` is not supported", part("type"));
            }
            let ending = if map.get("read_only") == Some(&Value::Bool(true)) { ":ro" } else { "" };
            format!("{}:{}{ending}", part("source"), part("target"))
        }
    };
    let text = if text.starts_with('.') { format!("{}/{text}", folder.display()) } else { text };
    let text = text.replace(":rw,", ":").replace(":rw", "");
    let volume = Volume::parse(&text).map_err(anyhow::Error::msg)?;
    if let VolumeSource::Host(path) = &volume.source
        && !Path::new(path).exists()
    {
        bail!("the volume's source `{path}` is not there");
    }
    Ok(volume)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_handed_down_and_replaced_as_compose_does() {
        let path = std::env::var("PATH").expect("a path");
        let text = "services:\n  a:\n    image: a:1\n    environment: { PATH: , NOBODY_HAS_SET_IT: , EMPTY: '', \
            A: '${PATH:?why}', B: '${NOBODY_HAS_SET_IT-b}', C: $$PATH }\n  \
            b:\n    image: b:1\n    environment: [PATH, NOBODY_HAS_SET_IT, X=]\n    labels: [PATH]\n";
        let document: Value = serde_saphyr::from_str(text).expect("yaml");
        let (launches, _) = launches(&document, Path::new("/")).expect("launches");
        let environment = |at: usize| launches[at].environment.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect::<Vec<_>>();
        assert_eq!(environment(0), [("A", path.as_str()), ("B", "b"), ("C", "$PATH"), ("EMPTY", ""), ("PATH", &path)]);
        assert_eq!(environment(1), [("PATH", path.as_str()), ("X", "")]);
        assert_eq!(launches[1].labels["PATH"], "");
        let document: Value = serde_saphyr::from_str(&text.replace("PATH:?why", "NOBODY_HAS_SET_IT:?why")).expect("yaml");
        let error = super::launches(&document, Path::new("/")).expect_err("it is not set");
        assert!(error.to_string().contains("`NOBODY_HAS_SET_IT` must be set: why"), "{error}");
    }

    #[test]
    fn a_compose_file_becomes_launches() {
        let text = r#"
services:
  a:
    image: a:1
    command: sh -c "echo $$HOME"
    environment: ["X=1"]
    ports: ["8080:80", { target: 53, published: 5353, protocol: udp }]
    expose: [9000, "9100-9200"]
    depends_on: { b: { condition: service_healthy } }
    mem_limit: 64m
    restart: always
  b:
    image: b:1
    volumes: ["data:/data:ro"]
    healthcheck: { test: ["CMD", "/check"], timeout: 2s }
"#;
        let document: Value = serde_saphyr::from_str(text).expect("yaml");
        let (launches, notes) = launches(&document, Path::new("/")).expect("launches");
        let [a, b] = &launches[..] else { panic!("two") };
        assert_eq!(a.command.as_deref().expect("command"), ["sh", "-c", "echo $HOME"]);
        assert_eq!(a.after, ["b"]);
        assert_eq!(a.ports.iter().map(Port::short).collect::<Vec<_>>(), ["8080:80", "5353:53/udp", "9000"]);
        assert!(b.volumes[0].read_only);
        let ask = Ask::Command(vec!["/check".into()]);
        assert_eq!(b.check, Some(Check { ask, timeout: Duration::from_secs(2) }));
        assert_eq!(notes, ["`mem_limit` of the service `a` is not applied here"]);
    }
}
