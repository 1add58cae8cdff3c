//! `auterion-app.yml`, and what of it goes into the artifact (`docs/file-format.md`, sections 2.4 and 4).

use std::time::{Duration, SystemTime};

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::{compose, merge, parts, yaml};
use crate::app::{Route, Service, VolumeSource};
use crate::plan::{Auterion, Plan};

const AS_ROOT: &str = "0:0";

/// The app file as its author would write it.
pub fn app_file(plan: &Plan, auterion: &Auterion) -> Value {
    let mut file = Map::new();
    file.insert("auterion-api-version".into(), auterion.api_version.into());
    file.insert("auterion-app-base".into(), auterion.app_base.clone().into());
    file.insert("app-name".into(), plan.name.to_string().into());
    file.insert("app-author".into(), plan.author.as_ref().map(|author| author.as_str()).into());
    file.insert("app-version".into(), plan.version.tag.clone().into());
    file.insert("target-platform".into(), json!(auterion.target_platform));
    file.extend(auterion.extra.clone());
    let services = plan.services.iter().map(|s| (s.name.to_string(), service(plan, auterion, s).into()));
    file.insert("services".into(), services.collect::<Map<_, _>>().into());
    let mut overrides = Map::new();
    let of_services: Map<String, Value> = plan
        .services
        .iter()
        .map(|service| (service.name.to_string(), Value::Object(compose_override(plan, service))))
        .filter(|(_, map)| map.as_object().is_some_and(|map| !map.is_empty()))
        .collect();
    if !of_services.is_empty() {
        overrides.insert("services".into(), of_services.into());
    }
    merge(&mut overrides, &auterion.compose_override);
    if !overrides.is_empty() {
        file.insert("compose-override".into(), overrides.into());
    }
    file.into()
}

/// The same in a folder beside `docker`.
pub fn app_file_beside(plan: &Plan, auterion: &Auterion) -> Value {
    let mut file = app_file(plan, auterion);
    for service in file["services"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        if let Some(build) = service.get_mut("build")
            && let Some(path) = build.as_str()
        {
            *build = format!("../{path}").into();
        }
    }
    file
}

/// The app file as the device gets it: up to API 4 it knows one platform only.
pub fn payload_app_file(plan: &Plan, auterion: &Auterion) -> Result<String> {
    let mut file = app_file(plan, auterion);
    if auterion.api_version <= 4 && auterion.device_types != ["simulation"] {
        file["target-platform"] = json!(["skynode"]);
    }
    yaml(&file)
}

/// The text under `auterion-metadata`: what made the file, and of what, without anything of this machine.
pub fn metadata(plan: &Plan, auterion: &Auterion) -> Result<String> {
    let time = humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + Duration::from_secs(plan.epoch)).to_string();
    let metadata = json!({
        "build-time": format!("{}.000000", time.trim_end_matches('Z')),
        "build-platform": plan.target.triple,
        "cli-version": concat!("cargo-appbundle ", env!("CARGO_PKG_VERSION")),
        "auterion-app-yml": app_file(plan, auterion),
    });
    Ok(serde_json::to_string(&metadata)?)
}

/// `app.yml` for API 1: a compose file with the device's defaults where the author gave none (section 4.6).
pub fn payload_compose(plan: &Plan, auterion: &Auterion) -> Result<Option<String>> {
    if auterion.api_version != 1 {
        return Ok(None);
    }
    let mut document = compose::document_of(plan)?;
    if let Some(file) = document.as_object_mut() {
        file.retain(|key, _| key != "version" && key != "name" && key != "volumes");
        let mut overrides = app_file(plan, auterion);
        if let Some(over) = overrides.get_mut("compose-override").and_then(Value::as_object_mut) {
            merge(file, over);
        }
    }
    for (name, service) in document.get_mut("services").and_then(Value::as_object_mut).into_iter().flatten() {
        let Some(service) = service.as_object_mut() else { continue };
        service.retain(|key, _| key != "platform" && key != "build");
        let of_plan = plan.services.iter().find(|other| other.name.as_str() == name);
        if let Some(environment) = service.get_mut("environment").and_then(Value::as_object_mut) {
            // The device sets them from the user's settings.
            environment.retain(|key, _| !of_plan.is_some_and(|service| service.secrets.contains_key(key)));
        }
        let defaults = json!({
            "container_name": format!("{}.{name}", plan.slug()),
            "restart": "unless-stopped",
            "network_mode": "host",
            "volumes": [format!("/data/app/{}/data:/data", plan.slug())],
            "env_file": ["settings.default.env", "settings.user.env"],
        });
        if plan.template.is_none() {
            service.insert("container_name".into(), format!("{}.{name}", plan.slug()).into());
        }
        for (key, value) in defaults.as_object().into_iter().flatten() {
            service.entry(key.clone()).or_insert_with(|| value.clone());
        }
        if service.get("network_mode").and_then(Value::as_str) == Some("host") {
            service.remove("ports");
            service.remove("expose");
        }
    }
    yaml(&document).map(Some)
}

/// What the device's file cannot say.
pub fn notes(plan: &Plan, auterion: &Auterion) -> Vec<String> {
    let mut notes = Vec::new();
    if plan.template.is_some() && auterion.api_version > 1 {
        notes.push("on AuterionOS all is made of the manifests' tables: `app.yml` is read with `api-version = 1` alone".into());
    }
    for service in &plan.services {
        let name = &service.name;
        let on_host = service.network_mode.as_deref().is_none_or(|mode| mode == "host");
        let moved = |port: &crate::app::Port| port.host_number().is_some_and(|host| host != port.container);
        if on_host && let Some(port) = service.ports.iter().find(|port| moved(port)) {
            notes.push(format!(
                "on AuterionOS `{name}` is on the host's network: its port {} stays {}",
                port.short(),
                port.container
            ));
        }
        if auterion.api_version < 2 && !service.routes.is_empty() {
            notes.push(format!("the routes of `{name}` need `api-version = 2`, this app has {}: left out", auterion.api_version));
        }
        if !service.env_files.is_empty() {
            notes.push(format!("`env-file` of `{name}` stays on this machine: on AuterionOS use `settings.default.env`"));
        }
        for variable in service.secrets.keys() {
            notes.push(format!("on AuterionOS `{variable}` of `{name}` is set by the device's user, in the app's settings"));
        }
        if compose_override(plan, service).get("user").is_some_and(|user| user == AS_ROOT) && !service.user.starts_with("0:") {
            notes.push(format!("on AuterionOS `{name}` runs as root: the device makes the folder of its volume as root"));
        }
        if service.replicas.is_some_and(|replicas| replicas != 1) {
            notes.push(format!("on AuterionOS `{name}` runs once, whatever `replicas` says"));
        }
    }
    notes
}

fn service(plan: &Plan, auterion: &Auterion, service: &Service) -> Map<String, Value> {
    let mut map = Map::new();
    let usual = format!("{}.{}:{}", plan.slug(), service.name, plan.version);
    if service.image.to_string() == usual {
        map.insert("build".into(), format!("docker/{}", service.name).into());
    } else {
        map.insert("image".into(), service.image.to_string().into());
    }
    if auterion.api_version >= 2 && !service.routes.is_empty() {
        let routes = service.routes.iter().map(|(path, route)| {
            let target = match route {
                Route::Port(port) => json!({ "proxy": { "port": port } }),
                Route::StaticRoot(root) => json!({ "static-root": root }),
            };
            (path.clone(), target)
        });
        map.insert("http".into(), routes.collect::<Map<_, _>>().into());
    }
    merge(&mut map, &service.auterion);
    map
}

/// What differs from the device's defaults.
fn compose_override(plan: &Plan, service: &Service) -> Map<String, Value> {
    let mut map = Map::new();
    compose::common(&mut map, service);
    if service.network_mode.as_deref() == Some("host") {
        map.remove("network_mode");
    }
    if let Some(restart) = service.restart.as_deref().filter(|restart| *restart != "unless-stopped") {
        map.insert("restart".into(), restart.into());
    }
    // With `-p`, not all of the app's services are there.
    let is_there = |name: &&String| plan.services.iter().any(|other| other.name.as_str() == name.as_str());
    let depends_on: Vec<&String> = service.depends_on.iter().filter(is_there).collect();
    if !depends_on.is_empty() {
        map.insert("depends_on".into(), json!(depends_on));
    }
    if service.network_mode.as_deref().is_some_and(|mode| mode != "host") {
        map.extend(parts::ports(&service.ports));
    }
    let data = format!("/data/app/{}/data", plan.slug());
    let volumes: Vec<String> = service
        .volumes
        .iter()
        .map(|volume| {
            let source = match &volume.source {
                VolumeSource::Named(name) if name == "data" => data.clone(),
                VolumeSource::Named(name) => format!("{data}/{name}"),
                VolumeSource::Host(path) => path.clone(),
            };
            format!("{source}:{}{}", volume.target, if volume.read_only { ":ro" } else { "" })
        })
        .collect();
    if !volumes.is_empty() {
        map.insert("volumes".into(), json!(volumes));
    }
    if service.volumes.iter().any(|volume| matches!(volume.source, VolumeSource::Named(_))) {
        // The device makes the folder as root, and a folder that is mounted keeps its owner.
        map.insert("user".into(), AS_ROOT.into());
    }
    map.extend(parts::limits(&service.resources));
    map.extend(service.stop_grace_period.as_ref().map(|time| ("stop_grace_period".to_owned(), time.clone().into())));
    merge(&mut map, &service.compose);
    map
}
