//! The pod of a service.

use serde_json::{Map, Value, json};

use super::{all_labels, claim_name, config_name, probe, protocol, reached};
use crate::app::{Service, VolumeSource};
use crate::digest::Digest;
use crate::plan::Plan;
use crate::render::parts;

/// The template of a Deployment. The variables' sum is in it, so that pods are made anew when one changes.
pub fn template(plan: &Plan, service: &Service, prefix: Option<&str>) -> Value {
    let mut metadata = Map::new();
    metadata.insert("labels".into(), all_labels(plan, Some(service)).into());
    if !service.environment.is_empty() {
        let text: String = service.environment.iter().map(|(name, value)| format!("{name}={value}\0")).collect();
        metadata.insert("annotations".into(), json!({ "cargo-appbundle/environment": Digest::of(text.as_bytes()).hex() }));
    }
    let mut pod = pod(plan, service, prefix);
    merge(&mut pod, &service.kubernetes);
    json!({ "metadata": metadata, "spec": pod })
}

fn pod(plan: &Plan, service: &Service, prefix: Option<&str>) -> Map<String, Value> {
    let mut pod = Map::new();
    // Neither a token nor other services' addresses as variables: a service gets what its table says.
    pod.insert("automountServiceAccountToken".into(), false.into());
    pod.insert("enableServiceLinks".into(), false.into());
    if service.network_mode.as_deref() == Some("host") {
        pod.insert("hostNetwork".into(), true.into());
        pod.insert("dnsPolicy".into(), "ClusterFirstWithHostNet".into());
    }
    if let Some(time) = service.stop_grace_period.as_deref().and_then(probe::seconds) {
        pod.insert("terminationGracePeriodSeconds".into(), time.into());
    }
    let (user, group) = owner(service);
    let named = service.volumes.iter().any(|volume| matches!(volume.source, VolumeSource::Named(_)));
    let mut security = Map::new();
    security.extend(user.map(|user| ("runAsUser".to_owned(), user.into())));
    security.extend(group.map(|group| ("runAsGroup".to_owned(), group.into())));
    security.extend(user.filter(|user| *user != 0).map(|_| ("runAsNonRoot".to_owned(), true.into())));
    security.extend(group.filter(|group| named && *group != 0).map(|group| ("fsGroup".to_owned(), group.into())));
    if !service.privileged {
        security.insert("seccompProfile".into(), json!({ "type": "RuntimeDefault" }));
    }
    if !security.is_empty() {
        pod.insert("securityContext".into(), security.into());
    }
    pod.insert("containers".into(), json!([container(service, prefix)]));
    let volumes: Vec<Value> = volumes(plan, service).into_iter().map(|(_, volume)| volume).collect();
    if !volumes.is_empty() {
        pod.insert("volumes".into(), volumes.into());
    }
    pod
}

fn container(service: &Service, prefix: Option<&str>) -> Map<String, Value> {
    let mut container = Map::new();
    let (name, tag) = parts::image(service, prefix);
    container.insert("name".into(), service.name.as_str().into());
    container.insert("image".into(), format!("{name}:{tag}").into());
    if service.shared_image.is_some() {
        // Kubernetes replaces `$(NAME)` in commands, and makes one `$` of two.
        let words = service.command_line().into_iter().map(|word| Value::from(word.replace('$', "$$")));
        container.insert("command".into(), words.collect());
        container.insert("workingDir".into(), service.workdir.as_str().into());
    }
    let ports: Vec<Value> =
        reached(service).iter().map(|port| json!({ "containerPort": port.container, "protocol": protocol(port) })).collect();
    if !ports.is_empty() {
        container.insert("ports".into(), ports.into());
    }
    // Values of a ConfigMap are taken as they are; those of `env` would have `$(NAME)` replaced. The later one wins.
    let mut sources = Vec::new();
    if !service.env_files.is_empty() {
        sources.push(json!({ "secretRef": { "name": env_file_secret(service) } }));
    }
    if !service.environment.is_empty() {
        sources.push(json!({ "configMapRef": { "name": config_name(service) } }));
    }
    if !sources.is_empty() {
        container.insert("envFrom".into(), sources.into());
    }
    let secrets = service
        .secrets
        .iter()
        .map(|(name, at)| json!({ "name": name, "valueFrom": { "secretKeyRef": { "name": at.secret, "key": at.key } } }));
    if !service.secrets.is_empty() {
        container.insert("env".into(), secrets.collect());
    }
    container.extend(resources(service).map(|resources| ("resources".to_owned(), resources)));
    if let Some(health) = &service.health {
        let on_host = service.network_mode.as_deref() == Some("host");
        container.extend(probe::probes(health, on_host).map(|(key, probe)| (key.to_owned(), probe)));
    }
    let security = match (service.privileged, owner(service).0) {
        (true, _) => json!({ "privileged": true }),
        (false, Some(0) | None) => json!({ "allowPrivilegeEscalation": false }),
        (false, Some(_)) => json!({ "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } }),
    };
    container.insert("securityContext".into(), security);
    let mounts: Vec<Value> = service
        .volumes
        .iter()
        .enumerate()
        .map(|(at, volume)| {
            let mut mount = json!({ "name": volume_name(at, &volume.source), "mountPath": volume.target });
            if volume.read_only {
                mount["readOnly"] = true.into();
            }
            mount
        })
        .collect();
    if !mounts.is_empty() {
        container.insert("volumeMounts".into(), mounts.into());
    }
    container
}

/// The secret that an `env-file` has to be made into.
pub fn env_file_secret(service: &Service) -> String {
    format!("{}-env-file", service.name)
}

/// UID and GID, as far as `user` says them in numbers.
pub fn owner(service: &Service) -> (Option<u64>, Option<u64>) {
    let (user, group) = service.user.split_once(':').map_or((service.user.as_str(), None), |(u, g)| (u, Some(g)));
    let number = |text: &str| if text == "root" { Some(0) } else { text.parse().ok() };
    (number(user), group.and_then(number))
}

fn resources(service: &Service) -> Option<Value> {
    let all = &service.resources;
    let mut resources = Map::new();
    for (key, cpu, memory) in [("requests", &all.cpu, &all.memory), ("limits", &all.cpu_limit, &all.memory_limit)] {
        let mut part = Map::new();
        part.extend(cpu.as_ref().map(|cpu| ("cpu".to_owned(), cpu.written.clone().into())));
        part.extend(memory.as_ref().map(|memory| ("memory".to_owned(), memory.written.clone().into())));
        if !part.is_empty() {
            resources.insert(key.into(), part.into());
        }
    }
    (!resources.is_empty()).then(|| resources.into())
}

fn volume_name(at: usize, source: &VolumeSource) -> String {
    match source {
        VolumeSource::Named(name) => name.clone(),
        VolumeSource::Host(_) => format!("host-{at}"),
    }
}

/// Each volume of the pod once, by name.
fn volumes(plan: &Plan, service: &Service) -> Vec<(String, Value)> {
    let mut found: Vec<(String, Value)> = Vec::new();
    for (at, volume) in service.volumes.iter().enumerate() {
        let name = volume_name(at, &volume.source);
        if found.iter().any(|(other, _)| *other == name) {
            continue;
        }
        let value = match &volume.source {
            VolumeSource::Named(source) => {
                json!({ "name": name, "persistentVolumeClaim": { "claimName": claim_name(plan, source) } })
            }
            VolumeSource::Host(path) => json!({ "name": name, "hostPath": { "path": path } }),
        };
        found.push((name, value));
    }
    found
}

/// Merges `over` into `under` as Kubernetes merges patches: mappings merge, of lists those items that have the same `name`, and all
/// else replaces.
fn merge(under: &mut Map<String, Value>, over: &Map<String, Value>) {
    for (key, value) in over {
        match (under.get_mut(key), value) {
            (Some(Value::Object(under)), Value::Object(over)) => merge(under, over),
            (Some(Value::Array(under)), Value::Array(over)) if over.iter().all(|item| item.get("name").is_some()) => {
                for item in over {
                    let same = under.iter_mut().find(|other| other.get("name") == item.get("name"));
                    match (same, item) {
                        (Some(Value::Object(same)), Value::Object(item)) => merge(same, item),
                        _ => under.push(item.clone()),
                    }
                }
            }
            _ => drop(under.insert(key.clone(), value.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_of_one_name_are_merged() {
        let map = |value: Value| value.as_object().cloned().expect("a map");
        let mut under = map(json!({ "containers": [{ "name": "a", "image": "a:1" }], "x": [1] }));
        merge(&mut under, &map(json!({ "containers": [{ "name": "a", "tty": true }, { "name": "b" }], "x": [2] })));
        let merged = json!({ "containers": [{ "name": "a", "image": "a:1", "tty": true }, { "name": "b" }], "x": [2] });
        assert_eq!(Value::from(under), merged);
    }
}
