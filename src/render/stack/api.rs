//! A stack as requests of Docker's API, for a controller that has nothing but the engine's socket: the same as the stack file, with
//! the same variables in it.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::StackFile;

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
    let mounts = from["volumes"].as_array().into_iter().flatten().filter_map(|volume| mount(full, volume.as_str()?));
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
        "Labels": { "com.docker.stack.namespace": full },
        "Mounts": mounts.collect::<Vec<_>>(),
        "Configs": configs.collect::<Vec<_>>(),
        "Secrets": secrets.collect::<Vec<_>>(),
    });
    for (key, other) in [("entrypoint", "Command"), ("command", "Args"), ("stop_signal", "StopSignal")] {
        if !from[key].is_null() {
            container[other] = from[key].clone();
        }
    }
    container["StopGracePeriod"] = nanoseconds(&from["stop_grace_period"]).into();
    if let Some(check) = from.get("healthcheck") {
        container["Healthcheck"] = json!({
            "Test": check["test"],
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
            "RestartPolicy": { "Condition": deploy["restart_policy"]["condition"] },
            "Placement": { "Constraints": deploy["placement"]["constraints"].as_array().cloned().unwrap_or_default() },
        },
        "Mode": { "Replicated": { "Replicas": deploy["replicas"].as_u64().unwrap_or(1) } },
        "EndpointSpec": { "Mode": deploy["endpoint_mode"].as_str().unwrap_or("vip"), "Ports": ports.collect::<Vec<_>>() },
    })
}

/// `data:/data:ro`
fn mount(full: &str, volume: &str) -> Option<Value> {
    let mut parts = volume.split(':');
    let (source, target) = (parts.next()?, parts.next()?);
    let read_only = parts.next() == Some("ro");
    Some(if source.starts_with('/') {
        json!({ "Type": "bind", "Source": source, "Target": target, "ReadOnly": read_only })
    } else {
        let labels = json!({ "Labels": { "com.docker.stack.namespace": full } });
        json!({ "Type": "volume", "Source": format!("{full}_{source}"), "Target": target, "ReadOnly": read_only, "VolumeOptions": labels })
    })
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
