//! A container as compose files have it.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::document::Piece;
use super::parts;
use crate::app::{Confinement, Container, Health, Probe};
use crate::diagnostic::{Code, Note};

/// Puts a container into a service of a compose file, in which some keys may be already. `folder` is where the file stands, if it
/// may name files of variables; `name` is the service's.
pub fn render(
    mut map: Map<String, Value>,
    name: &str,
    container: &Container,
    depends_on: Option<Value>,
    folder: Option<&Path>,
) -> Piece {
    let Container {
        image,
        command,
        args,
        environment,
        secrets,
        env_files,
        ports,
        volumes,
        health,
        user,
        workdir,
        restart,
        network_mode,
        devices,
        privileged,
        confinement,
        labels,
        replicas,
        resources,
        stop_grace_period,
    } = container;
    let mut notes = Vec::new();
    let mut put = |key: &str, value: Option<Value>| map.extend(value.map(|value| (key.to_owned(), value)));
    put("image", Some(image.as_str().into()));
    put("entrypoint", command.as_deref().map(parts::words));
    put("command", some(args).map(parts::words));
    put("user", user.as_deref().map(Value::from));
    put("working_dir", workdir.as_deref().map(Value::from));
    put("environment", parts::environment(environment, secrets));
    put("network_mode", network_mode.as_deref().map(Value::from));
    put("devices", some(devices).map(|devices| json!(devices)));
    put("privileged", privileged.then_some(true.into()));
    confined(confinement).into_iter().for_each(|(key, value)| put(key, value));
    put("tmpfs", some(&confinement.tmpfs).map(parts::words));
    put("restart", restart.as_deref().map(Value::from));
    put("depends_on", depends_on);
    if !container.is_on_host() {
        parts::ports(ports).into_iter().for_each(|(key, value)| put(&key, Some(value)));
    }
    put("volumes", some(volumes).map(|volumes| volumes.iter().map(|volume| Value::from(parts::volume(volume))).collect()));
    put("deploy", replicas.map(|replicas| json!({ "replicas": replicas })));
    parts::limits(resources).into_iter().for_each(|(key, value)| put(&key, Some(value)));
    put("stop_grace_period", stop_grace_period.as_deref().map(Value::from));
    put("healthcheck", health.as_ref().and_then(parts::health));
    notes.extend(health.as_ref().and_then(|health| without_health(name, health)));
    put("env_file", folder.and_then(|folder| parts::env_files(env_files, folder)));
    put("labels", (!labels.is_empty()).then(|| parts::variables(labels)));
    Piece { map, notes }
}

/// What a container may do less, or more, as compose files and stack files have it: each key, and its value if it is set. Folders in
/// memory are apart from it: only compose files have a key for them.
pub fn confined(confinement: &Confinement) -> [(&'static str, Option<Value>); 4] {
    let Confinement { init, cap_add, cap_drop, read_only, tmpfs: _ } = confinement;
    [
        ("init", init.map(Value::from)),
        ("cap_add", some(cap_add).map(|names| json!(names))),
        ("cap_drop", some(cap_drop).map(|names| json!(names))),
        ("read_only", read_only.then_some(true.into())),
    ]
}

/// Folders in memory as volumes, which a swarm takes: of a list of its own, `docker stack deploy` makes nothing, and does not say so.
pub fn in_memory(confinement: &Confinement) -> impl Iterator<Item = Value> {
    confinement.tmpfs.iter().map(|path| json!({ "type": "tmpfs", "target": path }))
}

/// What is said of a health check that a file leaves out, if it does.
pub fn without_health(name: &str, health: &Health) -> Option<Note> {
    let client = match (&health.probe, health.inside()) {
        (_, Some(_)) | (Probe::Command(_), _) => return None,
        (Probe::Http(..), None) => "HTTP client",
        (Probe::Port(_), None) => "TCP client",
        (Probe::Grpc(_), None) => "gRPC client",
    };
    let text = format!(
        "the health check of {{services}} is left out (the image has no {client}); use `healthcheck = {{ command = … }}`"
    );
    Some(Code::HealthIgnored.note_of(name, text))
}

/// A list that has something in it.
pub fn some<T>(list: &[T]) -> Option<&[T]> {
    (!list.is_empty()).then_some(list)
}
