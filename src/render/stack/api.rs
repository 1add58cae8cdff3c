//! A stack as requests of Docker's API, for a controller that has nothing but the engine's socket: the same as the stack file, with
//! the same variables in it.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::file::StackFile;
use crate::app::{Cpu, Memory};
use crate::process;

/// What of a service in a stack file becomes part of a request.
const APPLIED: &str = "image environment networks volumes configs secrets entrypoint command stop_signal stop_grace_period \
    healthcheck ports deploy user working_dir labels init hostname tty stdin_open read_only cap_add cap_drop";

/// The same of its `deploy`.
const APPLIED_DEPLOY: &str = "replicas restart_policy placement endpoint_mode resources";

/// Services of a stack file, and what of them a controller leaves out.
pub fn left_out(document: &Value) -> Vec<(String, Vec<String>)> {
    let keys = |value: &Value, known: &str, before: &str| -> Vec<String> {
        let all = value.as_object().into_iter().flatten().map(|(key, _)| key);
        let other = all.filter(|key| !known.split_whitespace().any(|known| known == *key));
        other.map(|key| format!("`{before}{key}`")).collect()
    };
    // Of `compose = { … }` may come what a stack file has in another form.
    let strange = |service: &Value| -> Vec<String> {
        let listed = |key: &str, fits: fn(&Value) -> bool| service[key].as_array().is_none_or(|list| list.iter().all(fits));
        let tables = ["environment", "networks"].map(|key| (key, service[key].is_null() || service[key].is_object()));
        let lists = [
            ("volumes", (|volume| volume.is_string() || in_memory(volume).is_some()) as fn(&Value) -> bool),
            ("secrets", Value::is_string),
        ];
        let lists = lists.into_iter().chain([("ports", Value::is_object as fn(&Value) -> bool), ("configs", Value::is_object)]);
        let all = tables.into_iter().chain(lists.map(|(key, fits)| (key, listed(key, fits))));
        all.filter(|(_, fits)| !fits).map(|(key, _)| format!("`{key}` in this form")).collect()
    };
    let services = document["services"].as_object().into_iter().flatten();
    let left = services.map(|(name, service)| {
        let mut left = keys(service, APPLIED, "");
        left.extend(strange(service));
        left.extend(keys(&service["deploy"], APPLIED_DEPLOY, "deploy."));
        (name.clone(), left)
    });
    left.filter(|(_, left)| !left.is_empty()).collect()
}

/// The requests that make a stack: its networks, configs and services, the services in launch order.
pub fn requests(file: &StackFile, full: &str, order: &[Vec<String>]) -> Map<String, Value> {
    let document = &file.document;
    let networks = |(key, network): (&String, &Value)| {
        (network.get("external") != Some(&Value::Bool(true)))
            .then(|| json!({ "Name": network_name(document, key, full), "Driver": "overlay", "Attachable": true }))
    };
    let networks: Vec<Value> = document["networks"].as_object().into_iter().flatten().filter_map(networks).collect();
    let configs: Vec<Value> = file
        .gateway
        .iter()
        .map(|(_, text)| json!({ "Name": document["configs"]["gateway"]["name"], "Text": text.replace('$', "$$") }))
        .collect();
    let mut services = Vec::new();
    for (wave, names) in order.iter().enumerate() {
        for name in names {
            services.push(json!({ "Wave": wave, "Spec": service(document, full, name, &document["services"][name]) }));
        }
    }
    Map::from_iter([
        ("Networks".to_owned(), networks.into()),
        ("Configs".to_owned(), configs.into()),
        ("Services".to_owned(), services.into()),
    ])
}

fn network_name(document: &Value, key: &str, full: &str) -> String {
    document["networks"][key]["name"].as_str().map_or_else(|| format!("{full}_{key}"), str::to_owned)
}

fn service(document: &Value, full: &str, name: &str, from: &Value) -> Value {
    let deploy = &from["deploy"];
    let environment = from["environment"].as_object().into_iter().flatten();
    let env: Vec<String> = environment.map(|(name, value)| format!("{name}={}", text(value))).collect();
    let networks = from["networks"].as_object().into_iter().flatten().map(|(key, how)| {
        let mut aliases: Vec<Value> = vec![name.into()];
        aliases.extend(how["aliases"].as_array().into_iter().flatten().cloned());
        json!({ "Target": network_name(document, key, full), "Aliases": aliases })
    });
    let mounts = from["volumes"].as_array().into_iter().flatten().filter_map(|volume| mount(full, volume));
    let configs = from["configs"].as_array().into_iter().flatten().map(|config| {
        let key = config["source"].as_str().unwrap_or_default();
        json!({ "ConfigName": document["configs"][key]["name"], "File": file(&text(&config["target"])) })
    });
    let secrets = from["secrets"].as_array().into_iter().flatten().map(|secret| {
        let key = secret.as_str().unwrap_or_default();
        json!({ "SecretName": document["secrets"][key]["name"], "File": file(key) })
    });
    let mut container = json!({
        "Image": from["image"],
        "Env": env,
        "Labels": labels(full, &from["labels"]),
        "Mounts": mounts.collect::<Vec<_>>(),
        "Configs": configs.collect::<Vec<_>>(),
        "Secrets": secrets.collect::<Vec<_>>(),
    });
    for (key, other) in [("entrypoint", "Command"), ("command", "Args")] {
        if !from[key].is_null() {
            container[other] = words(&from[key]);
        }
    }
    let same = [
        ("stop_signal", "StopSignal"),
        ("user", "User"),
        ("working_dir", "Dir"),
        ("init", "Init"),
        ("hostname", "Hostname"),
        ("tty", "TTY"),
        ("stdin_open", "OpenStdin"),
        ("read_only", "ReadOnly"),
        ("cap_add", "CapabilityAdd"),
        ("cap_drop", "CapabilityDrop"),
    ];
    for (key, other) in same {
        if !from[key].is_null() {
            container[other] = from[key].clone();
        }
    }
    container["StopGracePeriod"] = nanoseconds(&from["stop_grace_period"]).into();
    if let Some(check) = from.get("healthcheck") {
        container["HealthCheck"] = json!({
            "Test": check_words(check),
            "Interval": nanoseconds(&check["interval"]),
            "Timeout": nanoseconds(&check["timeout"]),
            "StartPeriod": nanoseconds(&check["start_period"]),
            "Retries": check["retries"].as_u64().unwrap_or_default(),
        });
    }
    let ports = from["ports"].as_array().into_iter().flatten().map(|port| {
        json!({
            "Protocol": port["protocol"], "TargetPort": port["target"],
            "PublishedPort": port["published"], "PublishMode": port["mode"],
        })
    });
    json!({
        "Name": format!("{full}_{name}"),
        "Labels": { "com.docker.stack.namespace": full, "com.docker.stack.image": from["image"] },
        "TaskTemplate": {
            "ContainerSpec": container,
            "Networks": networks.collect::<Vec<_>>(),
            "RestartPolicy": restart(&deploy["restart_policy"]),
            "Resources": { "Limits": amounts(&deploy["resources"]["limits"]), "Reservations": amounts(&deploy["resources"]["reservations"]) },
            "Placement": { "Constraints": deploy["placement"]["constraints"].as_array().cloned().unwrap_or_default() },
        },
        "Mode": { "Replicated": { "Replicas": deploy["replicas"].as_u64().unwrap_or(1) } },
        "EndpointSpec": { "Mode": deploy["endpoint_mode"].as_str().unwrap_or("vip"), "Ports": ports.collect::<Vec<_>>() },
    })
}

/// The stack's label and the service's own, which compose has as a list or as a table.
fn labels(full: &str, own: &Value) -> Value {
    let mut all = json!({ "com.docker.stack.namespace": full });
    for (name, value) in own.as_object().into_iter().flatten() {
        all[name] = text(value).into();
    }
    for label in own.as_array().into_iter().flatten().filter_map(Value::as_str) {
        let (name, value) = label.split_once('=').unwrap_or((label, ""));
        all[name] = value.into();
    }
    all
}

/// A command line as compose has it: a list of words, or a text that is split as a shell would.
fn words(value: &Value) -> Value {
    let split = value.as_str().and_then(|line| process::split(line).ok());
    split.map_or_else(|| value.clone(), Value::from)
}

/// A check as compose has it: words, a text for the shell, or none at all.
fn check_words(check: &Value) -> Value {
    match (&check["disable"], &check["test"]) {
        (Value::Bool(true), _) => json!(["NONE"]),
        (_, Value::String(line)) => json!(["CMD-SHELL", line]),
        (_, test) => test.clone(),
    }
}

fn restart(policy: &Value) -> Value {
    let mut out = json!({ "Condition": policy["condition"] });
    for (key, other) in [("delay", "Delay"), ("window", "Window")] {
        if !policy[key].is_null() {
            out[other] = nanoseconds(&policy[key]).into();
        }
    }
    if let Some(attempts) = policy["max_attempts"].as_u64() {
        out["MaxAttempts"] = attempts.into();
    }
    out
}

/// Shares of a processor in billionths, memory in bytes.
fn amounts(from: &Value) -> Value {
    let mut out = json!({});
    if let Ok(cpu) = Cpu::parse(&text(&from["cpus"])) {
        out["NanoCPUs"] = (cpu.milli * 1_000_000).into();
    }
    if let Some(memory) = from["memory"].as_str().and_then(Memory::of_compose) {
        out["MemoryBytes"] = memory.bytes.into();
    }
    out
}

/// `data:/data:ro`, or a folder in memory.
fn mount(full: &str, volume: &Value) -> Option<Value> {
    if let Some(target) = in_memory(volume) {
        return Some(json!({ "Type": "tmpfs", "Target": target }));
    }
    let mut parts = volume.as_str()?.split(':');
    let (source, target) = (parts.next()?, parts.next()?);
    let read_only = parts.next() == Some("ro");
    Some(if source.starts_with('/') {
        json!({ "Type": "bind", "Source": source, "Target": target, "ReadOnly": read_only })
    } else {
        let labels = json!({ "Labels": { "com.docker.stack.namespace": full } });
        json!({ "Type": "volume", "Source": format!("{full}_{source}"), "Target": target, "ReadOnly": read_only, "VolumeOptions": labels })
    })
}

/// The path of a folder in memory of which nothing else is said.
fn in_memory(volume: &Value) -> Option<&str> {
    let volume = volume.as_object().filter(|volume| volume.len() == 2)?;
    volume.get("target")?.as_str().filter(|_| volume.get("type").is_some_and(|kind| kind == "tmpfs"))
}

fn file(target: &str) -> Value {
    json!({ "Name": target, "UID": "0", "GID": "0", "Mode": 0o444 })
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `1m30s`; 0 where nothing is said, which to Docker means its default.
fn nanoseconds(value: &Value) -> u64 {
    let parsed: Option<Duration> = value.as_str().and_then(|text| humantime::parse_duration(text).ok());
    parsed.map_or(0, |duration| u64::try_from(duration.as_nanos()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_may_be_a_text() {
        let service = |from: Value| service(&json!({}), "x", "a", &from)["TaskTemplate"]["ContainerSpec"].clone();
        let made =
            service(json!({ "command": "serve --at 'the door'", "entrypoint": ["/x y"], "healthcheck": { "test": "a && b" } }));
        assert_eq!((&made["Args"], &made["Command"]), (&json!(["serve", "--at", "the door"]), &json!(["/x y"])));
        assert_eq!(made["HealthCheck"]["Test"], json!(["CMD-SHELL", "a && b"]));
        let made = service(json!({ "healthcheck": { "disable": true } }));
        assert_eq!(made["HealthCheck"]["Test"], json!(["NONE"]));
    }

    #[test]
    fn what_a_request_cannot_say_is_known() {
        let document = json!({ "services": {
            "a": { "image": "a", "env_file": ["x"], "deploy": { "replicas": 1, "mode": "global" }, "volumes": [{ "type": "tmpfs" }] },
            "b": { "image": "b", "volumes": ["x:/y", { "type": "tmpfs", "target": "/t" }], "ports": [{ "target": 1 }] },
        } });
        let left = left_out(&document);
        assert_eq!(left.len(), 1);
        assert_eq!(left[0], ("a".into(), vec!["`env_file`".into(), "`volumes` in this form".into(), "`deploy.mode`".into()]));
    }
}
