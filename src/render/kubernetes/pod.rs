//! The pod of a service.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::names::{all_labels, claim_name, config_name, env_file_secret, protocol, reached};
use super::probe;
use crate::app::{Confinement, Container, Port, Resources, SecretKey, Service, Volume, VolumeSource};
use crate::diagnostic::Code;
use crate::digest::Digest;
use crate::plan::Plan;
use crate::render::container::some;
use crate::render::document::Piece;

/// The template of a Deployment. The variables' sum is in it, so that pods are made anew when one changes.
pub fn template(plan: &Plan, service: &Service, prefix: Option<&str>) -> Piece {
    let mut metadata = Map::new();
    metadata.insert("labels".into(), all_labels(plan, Some(service)).into());
    let environment = &service.container.environment;
    if !environment.is_empty() {
        let text: String = environment.iter().map(|(name, value)| format!("{name}={value}\0")).collect();
        metadata.insert("annotations".into(), json!({ "cargo-appbundle/environment": Digest::of(text.as_bytes()).hex() }));
    }
    let Piece { map: mut pod, notes } = pod(plan, service, prefix);
    merge(&mut pod, &service.kubernetes);
    Piece { map: Map::from_iter([("metadata".to_owned(), metadata.into()), ("spec".to_owned(), pod.into())]), notes }
}

fn pod(plan: &Plan, service: &Service, prefix: Option<&str>) -> Piece {
    let name = &service.name;
    // What its image says of its user, a pod has to say too.
    let user = service.container.user.clone();
    let Container {
        image: _,
        command,
        args,
        environment,
        secrets,
        env_files,
        ports,
        volumes,
        health,
        user: said_user,
        workdir,
        restart,
        network_mode,
        devices,
        privileged,
        confinement: Confinement { init, cap_add, cap_drop, read_only, tmpfs },
        labels: _,
        replicas,
        resources,
        stop_grace_period,
    } = service.described();
    let mut notes = Vec::new();
    let on_host = network_mode.as_deref() == Some("host");
    let (uid, gid) = owner(user.as_deref().unwrap_or_default());
    let named = volumes.iter().find_map(|volume| match &volume.source {
        VolumeSource::Named(name) => Some(name),
        VolumeSource::Host(_) => None,
    });

    let mut pod = Map::new();
    // Neither a token nor other services' addresses as variables: a service gets what its table says.
    pod.insert("automountServiceAccountToken".into(), false.into());
    pod.insert("enableServiceLinks".into(), false.into());
    if init == Some(true) {
        // The pod's own first process reaps, once the containers share its process namespace.
        pod.insert("shareProcessNamespace".into(), true.into());
    }
    if on_host {
        pod.insert("hostNetwork".into(), true.into());
        pod.insert("dnsPolicy".into(), "ClusterFirstWithHostNet".into());
        let text = "in the network of a node, {services} can reach only services on the same node at 127.0.0.1";
        notes.push(Code::NetworkDiffers.note_of(name, text));
    }
    if network_mode.as_deref() == Some("none") {
        let text = "`network-mode = \"none\"` of {services} has no equivalent on Kubernetes: a NetworkPolicy can block traffic";
        notes.push(Code::NetworkDiffers.note_of(name, text));
    }
    if let Some(time) = stop_grace_period.as_deref().and_then(probe::seconds) {
        pod.insert("terminationGracePeriodSeconds".into(), time.into());
    }
    let mut security = Map::new();
    security.extend(uid.map(|user| ("runAsUser".to_owned(), user.into())));
    security.extend(gid.map(|group| ("runAsGroup".to_owned(), group.into())));
    security.extend(uid.filter(|user| *user != 0).map(|_| ("runAsNonRoot".to_owned(), true.into())));
    security.extend(gid.filter(|group| named.is_some() && *group != 0).map(|group| ("fsGroup".to_owned(), group.into())));
    if !privileged {
        security.insert("seccompProfile".into(), json!({ "type": "RuntimeDefault" }));
    }
    if !security.is_empty() {
        pod.insert("securityContext".into(), security.into());
    }

    let mut container = Map::new();
    let mut put = |key: &str, value: Option<Value>| container.extend(value.map(|value| (key.to_owned(), value)));
    put("name", Some(name.as_str().into()));
    put("image", Some(service.image_in(prefix).as_str().into()));
    // A command that no image has: of an image of all services.
    let (command, args) = if said_user.is_some() && command.is_none() { (Some(args), Vec::new()) } else { (command, args) };
    put("command", command.as_deref().map(words));
    put("args", some(&args).map(words));
    put("workingDir", workdir.map(Value::from));
    let ports: Vec<Value> = reached(&ports, &service.routes).iter().map(container_port).collect();
    put("ports", some(&ports).map(Value::from));
    // Values of a ConfigMap are taken as they are; those of `env` would have `$(NAME)` replaced. The later one wins.
    let mut sources = Vec::new();
    if !env_files.is_empty() {
        sources.push(json!({ "secretRef": { "name": env_file_secret(service) } }));
    }
    if !environment.is_empty() {
        sources.push(json!({ "configMapRef": { "name": config_name(service) } }));
    }
    put("envFrom", some(&sources).map(Value::from));
    let kept = |(name, at): (&String, &SecretKey)| json!({ "name": name, "valueFrom": { "secretKeyRef": { "name": at.secret, "key": at.key } } });
    put("env", (!secrets.is_empty()).then(|| secrets.iter().map(kept).collect()));
    put("resources", self::resources(&resources));
    health.iter().flat_map(|health| probe::probes(health, on_host)).for_each(|(key, probe)| put(key, Some(probe)));
    let drops_all = !privileged && uid.is_some_and(|uid| uid != 0);
    let mut security = if privileged { json!({ "privileged": true }) } else { json!({ "allowPrivilegeEscalation": false }) };
    let drop = if drops_all { vec!["ALL".to_owned()] } else { cap_drop };
    for (key, names) in [("add", cap_add), ("drop", drop)] {
        if !names.is_empty() {
            security["capabilities"][key] = json!(names);
        }
    }
    if read_only {
        security["readOnlyRootFilesystem"] = true.into();
    }
    put("securityContext", Some(security));
    let mounts = volumes.iter().enumerate().map(|(at, volume)| {
        let mut mount = json!({ "name": volume_name(at, &volume.source), "mountPath": volume.target });
        if volume.read_only {
            mount["readOnly"] = true.into();
        }
        mount
    });
    let in_memory = tmpfs.iter().enumerate().map(|(at, path)| json!({ "name": format!("tmpfs-{at}"), "mountPath": path }));
    let mounts: Vec<Value> = mounts.chain(in_memory).collect();
    put("volumeMounts", some(&mounts).map(Value::from));
    pod.insert("containers".into(), json!([container]));
    let mut all = self::volumes(plan, &volumes);
    all.extend((0..tmpfs.len()).map(|at| json!({ "name": format!("tmpfs-{at}"), "emptyDir": { "medium": "Memory" } })));
    if !all.is_empty() {
        pod.insert("volumes".into(), all.into());
    }

    if let Some(restart) = restart.as_deref().filter(|restart| matches!(*restart, "no" | "on-failure")) {
        let text = format!("`restart = \"{restart}\"` of {{services}} has no equivalent in a Deployment, which always restarts");
        notes.push(Code::RestartIgnored.note_of(name, text));
    }
    if let Some(volume) = named.filter(|_| replicas.is_some_and(|replicas| replicas > 1)) {
        let text = format!("the replicas of {{services}} share the volume `{volume}`, which works only on a single node");
        notes.push(Code::VolumeShared.note_of(name, text));
    }
    if !devices.is_empty() && !privileged {
        let text = "the devices of {services} are left out: Kubernetes provides devices through a device plugin";
        notes.push(Code::DevicesIgnored.note_of(name, text));
    }
    // Without one, the user is the image's everywhere.
    if let Some(user) = user.filter(|_| uid.is_none()) {
        let text = format!("the user `{user}` of {{services}} is that of the image: Kubernetes accepts only numeric users");
        notes.push(Code::UserDiffers.note_of(name, text));
    }
    for path in &env_files {
        let text = format!(
            "the `env-file` of {{services}} is read from a secret: `kubectl create secret generic {} --from-env-file={}`",
            env_file_secret(service),
            path.strip_prefix(&plan.workspace).unwrap_or(path).display()
        );
        notes.push(Code::EnvFileSource.note_of(name, text));
    }
    for (variable, at) in &secrets {
        let text =
            format!("`{variable}` of {{services}} is the key `{}` of the secret `{}`, which has to exist", at.key, at.secret);
        notes.push(Code::SecretSource.note_of(name, text));
    }
    for time in health.iter().flat_map(probe::unreadable) {
        let text = format!("the health check of {{services}} uses a default instead of `{time}`, which is not a duration");
        notes.push(Code::HealthIgnored.note_of(name, text));
    }
    if !service.container.labels.is_empty() {
        notes.push(Code::LabelsIgnored.note_of(name, "the labels of {services} are on images, not on pods"));
    }
    Piece { map: pod, notes }
}

/// Words of a command line. Kubernetes replaces `$(NAME)` in them, and makes one `$` of two.
fn words(words: &[String]) -> Value {
    words.iter().map(|word| Value::from(word.replace('$', "$$"))).collect()
}

fn container_port(port: &Port) -> Value {
    json!({ "containerPort": port.container, "protocol": protocol(port) })
}

/// UID and GID, as far as a user says them in numbers.
fn owner(user: &str) -> (Option<u64>, Option<u64>) {
    let (user, group) = user.split_once(':').map_or((user, None), |(user, group)| (user, Some(group)));
    let number = |text: &str| if text == "root" { Some(0) } else { text.parse().ok() };
    (number(user), group.and_then(number))
}

fn resources(Resources { cpu, memory, cpu_limit, memory_limit }: &Resources) -> Option<Value> {
    let mut resources = Map::new();
    for (key, cpu, memory) in [("requests", cpu, memory), ("limits", cpu_limit, memory_limit)] {
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
fn volumes(plan: &Plan, mounted: &[Volume]) -> Vec<Value> {
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    let mut order = Vec::new();
    for (at, volume) in mounted.iter().enumerate() {
        let name = volume_name(at, &volume.source);
        let value = match &volume.source {
            VolumeSource::Named(source) => {
                json!({ "name": name, "persistentVolumeClaim": { "claimName": claim_name(plan, source) } })
            }
            VolumeSource::Host(path) => json!({ "name": name, "hostPath": { "path": path } }),
        };
        if found.insert(name.clone(), value).is_none() {
            order.push(name);
        }
    }
    order.into_iter().filter_map(|name| found.remove(&name)).collect()
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
