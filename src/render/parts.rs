//! Pieces of a service that the dialects of compose files have in common.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::app::{Health, Port, Resources, Service, Volume, VolumeSource};
use crate::plan::Plan;

/// Compose replaces `$NAME`; a doubled `$` is one.
pub fn escaped(text: &str) -> String {
    text.replace('$', "$$")
}

/// An image's name and tag, as `push` makes them of a prefix.
pub fn image(service: &Service, prefix: Option<&str>) -> (String, String) {
    let name = match prefix {
        Some(prefix) => {
            let own = service.shared_image.as_deref().unwrap_or(service.name.as_str());
            format!("{}/{own}", prefix.trim_end_matches('/'))
        }
        None => service.image.name.clone(),
    };
    (name, service.image.tag.clone())
}

/// Variables with their values, and secrets as what the environment of who starts the app has under their names.
pub fn environment(service: &Service) -> Option<Value> {
    let plain = service.environment.iter().map(|(name, value)| (name.clone(), escaped(value)));
    let secret = service.secrets.iter().map(|(name, at)| {
        let why = format!("the key {} of the secret {}", at.key, at.secret);
        (name.clone(), format!("${{{name}:?{why}}}"))
    });
    let all: BTreeMap<String, String> = plain.chain(secret).collect();
    (!all.is_empty()).then(|| all.into_iter().map(|(name, value)| (name, Value::from(value))).collect::<Map<_, _>>().into())
}

/// `ports`, which are published, and `expose`, which are not: compose would publish a bare number at any free port.
pub fn ports(ports: &[Port]) -> Map<String, Value> {
    let (published, own): (Vec<&Port>, Vec<&Port>) = ports.iter().partition(|port| port.host.is_some());
    let lists = [("ports", published), ("expose", own)].into_iter().filter(|(_, ports)| !ports.is_empty());
    lists.map(|(key, ports)| (key.to_owned(), ports.into_iter().map(|port| Value::from(port.short())).collect())).collect()
}

/// Files of variables, by their paths from `folder`, where the compose file stands.
pub fn env_files(service: &Service, folder: &Path) -> Option<Value> {
    let paths: Vec<String> = service.env_files.iter().map(|path| host_path(folder, path)).collect();
    (!paths.is_empty()).then(|| json!(paths))
}

/// What is to be known of a workspace's own `app.yml` where it is not what a file is made of.
pub fn note_of_template(plan: &Plan) -> Option<String> {
    plan.template.is_some().then(|| "all is made of the manifests' tables; `app.yml` is not read".to_owned())
}

/// A volume in the short form; a path of the host stays as it is.
pub fn volume(volume: &Volume) -> String {
    let (VolumeSource::Named(source) | VolumeSource::Host(source)) = &volume.source;
    format!("{}:{}{}", escaped(source), escaped(&volume.target), if volume.read_only { ":ro" } else { "" })
}

/// The names of all volumes of these services.
pub fn volume_names<'a>(services: impl IntoIterator<Item = &'a Service>) -> Vec<String> {
    let mut names: Vec<String> = services
        .into_iter()
        .flat_map(|service| &service.volumes)
        .filter_map(|volume| match &volume.source {
            VolumeSource::Named(name) => Some(name.clone()),
            VolumeSource::Host(_) => None,
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

/// A health check that is a command; nothing of one that asks over HTTP, for which an image has no program.
pub fn health(health: Option<&Health>) -> Option<Value> {
    let health = health?;
    let command = health.command.as_ref()?;
    let mut check = Map::new();
    let test = std::iter::once("CMD").chain(command.iter().map(String::as_str)).map(|word| Value::from(escaped(word)));
    check.insert("test".into(), test.collect());
    for (key, value) in [("interval", &health.interval), ("timeout", &health.timeout), ("start_period", &health.start_period)] {
        check.extend(value.as_ref().map(|value| (key.to_owned(), value.clone().into())));
    }
    check.extend(health.retries.map(|retries| ("retries".to_owned(), retries.into())));
    Some(check.into())
}

/// Limits and reservations of one machine. What of a processor is kept free is a share, as Kubernetes makes one of it.
pub fn limits(resources: &Resources) -> Map<String, Value> {
    let mut map = Map::new();
    let decimal = |cpu: &crate::app::Cpu| cpu.decimal().parse::<f64>().unwrap_or_default();
    map.extend(resources.cpu_limit.as_ref().map(|cpu| ("cpus".to_owned(), decimal(cpu).into())));
    map.extend(resources.cpu.as_ref().map(|cpu| ("cpu_shares".to_owned(), (cpu.milli * 1024 / 1000).max(2).into())));
    map.extend(resources.memory_limit.as_ref().map(|memory| ("mem_limit".to_owned(), memory.compose().into())));
    map.extend(resources.memory.as_ref().map(|memory| ("mem_reservation".to_owned(), memory.compose().into())));
    map
}

/// `deploy.resources`.
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

/// A path of this machine from a folder, as compose files have it: beginning with `./` or `../`.
pub fn host_path(folder: &Path, to: &Path) -> String {
    let same = folder.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = folder.components().skip(same).map(|_| Component::ParentDir);
    let path: PathBuf = up.chain(to.components().skip(same)).collect();
    let text = path.to_string_lossy();
    escaped(&if text.starts_with("..") { text.into_owned() } else { format!("./{text}") })
}

/// How a service is started in an image that holds all services and starts none by itself.
pub fn command(service: &Service) -> Map<String, Value> {
    let mut map = Map::new();
    if service.shared_image.is_some() {
        map.insert("command".into(), service.command_line().iter().map(|word| Value::from(escaped(word))).collect());
        map.insert("user".into(), service.user.clone().into());
        map.insert("working_dir".into(), service.workdir.clone().into());
    }
    map
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
