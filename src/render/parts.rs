//! Parts of a service that all dialects of compose files share.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::app::{Container, Health, Port, Resources, SecretKey, Service, Volume, VolumeSource};
use crate::diagnostic::{Code, Note};
use crate::plan::Plan;

/// Doubles each `$`, because compose replaces `$NAME`.
pub fn escaped(text: &str) -> String {
    text.replace('$', "$$")
}

/// The words of a command line.
pub fn words(words: &[String]) -> Value {
    words.iter().map(|word| Value::from(escaped(word))).collect()
}

/// Names and values as a mapping.
pub fn variables(pairs: &BTreeMap<String, String>) -> Value {
    pairs.iter().map(|(name, value)| (name.clone(), Value::from(escaped(value)))).collect::<Map<_, _>>().into()
}

/// Environment variables with their values; secrets refer to variables of the command that starts the app.
pub fn environment(plain: &BTreeMap<String, String>, secrets: &BTreeMap<String, SecretKey>) -> Option<Value> {
    let plain = plain.iter().map(|(name, value)| (name.clone(), escaped(value)));
    let secret = secrets.iter().map(|(name, at)| {
        let why = format!("the key {} of the secret {}", at.key, at.secret);
        (name.clone(), format!("${{{name}:?{why}}}"))
    });
    let all: BTreeMap<String, String> = plain.chain(secret).collect();
    (!all.is_empty()).then(|| all.into_iter().map(|(name, value)| (name, Value::from(value))).collect::<Map<_, _>>().into())
}

/// `ports` for published ports, `expose` for the others: in `ports`, compose would publish a bare number at a random port.
pub fn ports(ports: &[Port]) -> Map<String, Value> {
    let (published, own): (Vec<&Port>, Vec<&Port>) = ports.iter().partition(|port| port.host.is_some());
    let lists = [("ports", published), ("expose", own)].into_iter().filter(|(_, ports)| !ports.is_empty());
    lists.map(|(key, ports)| (key.to_owned(), ports.into_iter().map(|port| Value::from(port.short())).collect())).collect()
}

/// Environment files, with paths relative to `folder`, the compose file's folder.
pub fn env_files(files: &[PathBuf], folder: &Path) -> Option<Value> {
    let paths: Vec<String> = files.iter().map(|path| host_path(folder, path)).collect();
    (!paths.is_empty()).then(|| json!(paths))
}

/// What is to be known of a workspace's own `app.yml` where it is not what a file is made of.
pub fn note_of_template(plan: &Plan) -> Option<Note> {
    plan.template
        .is_some()
        .then(|| Code::TemplateIgnored.note("the files are generated from the manifests; `app.yml` is not read"))
}

/// A volume in the short form; a host path stays unchanged.
pub fn volume(volume: &Volume) -> String {
    let (VolumeSource::Named(source) | VolumeSource::Host(source)) = &volume.source;
    format!("{}:{}{}", escaped(source), escaped(&volume.target), if volume.read_only { ":ro" } else { "" })
}

/// The names of all volumes of these services.
pub fn volume_names<'a>(services: impl IntoIterator<Item = &'a Service>) -> Vec<String> {
    volume_names_of(services.into_iter().map(|service| &service.container))
}

/// The same for containers of any kind.
pub fn volume_names_of<'a>(containers: impl IntoIterator<Item = &'a Container>) -> Vec<String> {
    let mut names: Vec<String> = containers
        .into_iter()
        .flat_map(|container| &container.volumes)
        .filter_map(|volume| match &volume.source {
            VolumeSource::Named(name) => Some(name.clone()),
            VolumeSource::Host(_) => None,
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Time between checks of a path or a port, as Kubernetes has it: an engine's own is 30 s, for which what depends on it would wait.
const INTERVAL: &str = "10s";

/// A health check; `None` if the image has no program for it.
pub fn health(health: &Health) -> Option<Value> {
    let Health { probe: _, interval, timeout, retries, start_period, client: _ } = health;
    let command = health.inside()?;
    let usual = || health.command().is_none().then(|| INTERVAL.to_owned());
    let interval = &interval.clone().or_else(usual);
    let mut check = Map::new();
    let test = std::iter::once("CMD").chain(command.iter().map(String::as_str)).map(|word| Value::from(escaped(word)));
    check.insert("test".into(), test.collect());
    for (key, value) in [("interval", interval), ("timeout", timeout), ("start_period", start_period)] {
        check.extend(value.as_ref().map(|value| (key.to_owned(), value.clone().into())));
    }
    check.extend(retries.map(|retries| ("retries".to_owned(), retries.into())));
    Some(check.into())
}

/// Limits and reservations of one machine. What of a processor is kept free is a share, as Kubernetes makes one of it.
pub fn limits(resources: &Resources) -> Map<String, Value> {
    let mut map = Map::new();
    let decimal = |cpu: &crate::app::Cpu| cpu.decimal().parse::<f64>().unwrap_or_default();
    map.extend(resources.cpu_limit.as_ref().map(|cpu| ("cpus".to_owned(), decimal(cpu).into())));
    map.extend(resources.cpu.as_ref().map(|cpu| ("cpu_shares".to_owned(), cpu.shares().into())));
    map.extend(resources.memory_limit.as_ref().map(|memory| ("mem_limit".to_owned(), memory.compose().into())));
    map.extend(resources.memory.as_ref().map(|memory| ("mem_reservation".to_owned(), memory.compose().into())));
    map
}

/// The value of `deploy.resources`.
pub fn resources(resources: &Resources) -> Option<Value> {
    let part = |cpu: &Option<crate::app::Cpu>, memory: &Option<crate::app::Memory>| {
        let mut map = Map::new();
        map.extend(cpu.as_ref().map(|cpu| ("cpus".to_owned(), cpu.decimal().into())));
        map.extend(memory.as_ref().map(|memory| ("memory".to_owned(), memory.compose().into())));
        map
    };
    let parts = [
        ("limits", part(&resources.cpu_limit, &resources.memory_limit)),
        ("reservations", part(&resources.cpu, &resources.memory)),
    ];
    let map: Map<String, Value> =
        parts.into_iter().filter(|(_, part)| !part.is_empty()).map(|(key, part)| (key.to_owned(), part.into())).collect();
    (!map.is_empty()).then(|| map.into())
}

/// A path of this machine relative to a folder, in compose's notation.
pub fn host_path(folder: &Path, to: &Path) -> String {
    escaped(&relative(folder, to))
}

/// A path relative to a folder, beginning with `./` or `../`.
pub fn relative(folder: &Path, to: &Path) -> String {
    let same = folder.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = folder.components().skip(same).map(|_| Component::ParentDir);
    let path: PathBuf = up.chain(to.components().skip(same)).collect();
    let text = path.to_string_lossy();
    if text.starts_with("..") { text.into_owned() } else { format!("./{text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_from_the_folder() {
        let path = |from: &str, to: &str| host_path(Path::new(from), Path::new(to));
        assert_eq!(path("/w/target/out/dev", "/w/services/a"), "../../../services/a");
        assert_eq!(path("/w", "/w/$a"), "./$$a");
        assert_eq!(path("/w/a", "/w/a"), "./");
    }
}
