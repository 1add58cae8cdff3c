//! `auterion-app.yml`, and what of it goes into the artifact (`docs/file-format.md`, sections 2.4 and 4).

mod names;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::document::{Piece, Rendered, merge, yaml};
use super::{compose, container};
use crate::app::{Container, GeneratedFile, Port, Route, Service, Volume, VolumeSource};
use crate::diagnostic::Code;
use crate::plan::{Auterion, Plan};

const AS_ROOT: &str = "0:0";

/// Renders the app file as an author would write it.
pub fn app_file(plan: &Plan, auterion: &Auterion) -> Piece {
    let (mut file, mut notes) = (Map::new(), Vec::new());
    if plan.template.is_some() && auterion.api_version > 1 {
        let text = "the AuterionOS files are generated from the manifests: a device reads `app.yml` only with `api-version = 1`";
        notes.push(Code::TemplateIgnored.note(text));
    }
    file.insert("auterion-api-version".into(), auterion.api_version.into());
    file.insert("auterion-app-base".into(), auterion.app_base.clone().into());
    file.insert("app-name".into(), plan.name.to_string().into());
    file.insert("app-author".into(), plan.author.as_ref().map(|author| author.as_str()).into());
    file.insert("app-version".into(), plan.version.tag.clone().into());
    file.insert("target-platform".into(), json!(auterion.target_platform));
    file.extend(auterion.extra.clone());
    let (mut services, mut of_services) = (Map::new(), Map::new());
    for of in &plan.services {
        let own = service(plan, auterion, of);
        services.insert(of.name.to_string(), own.map.into());
        notes.extend(own.notes);
        let over = compose_override(plan, of);
        notes.extend(over.notes);
        if !over.map.is_empty() {
            of_services.insert(of.name.to_string(), over.map.into());
        }
    }
    file.insert("services".into(), services.into());
    let mut overrides = Map::new();
    if !of_services.is_empty() {
        overrides.insert("services".into(), of_services.into());
    }
    merge(&mut overrides, &auterion.compose_override);
    let nothing = Map::new();
    for of in &plan.services {
        let over = overrides.get("services").and_then(|services| services.get(of.name.as_str())?.as_object());
        notes.extend(names::unresolved(of, &plan.services, over.unwrap_or(&nothing)));
    }
    if !overrides.is_empty() {
        file.insert("compose-override".into(), overrides.into());
    }
    Piece { map: file, notes }
}

/// `app.yml` and the app file, in a folder beside `docker`.
pub fn files(plan: &Plan) -> Result<Rendered> {
    let in_folder = |file: GeneratedFile| GeneratedFile { path: format!("auterionos/{}", file.path), ..file };
    let mut files: Vec<GeneratedFile> = compose::app_yml(plan)?.files.into_iter().map(in_folder).collect();
    let Some(auterion) = &plan.auterion else { return Ok(Rendered { files, notes: Vec::new() }) };
    let Piece { map, notes } = app_file(plan, auterion);
    let mut file = Value::from(map);
    for service in file["services"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        if let Some(build) = service.get_mut("build")
            && let Some(path) = build.as_str()
        {
            *build = format!("../{path}").into();
        }
    }
    files.push(GeneratedFile { path: "auterionos/auterion-app.yml".into(), contents: yaml(&file)? });
    Ok(Rendered { files, notes })
}

/// The app file as the device gets it: up to API 4 it knows one platform only.
pub fn payload_app_file(plan: &Plan, auterion: &Auterion) -> Result<String> {
    let mut file = Value::from(app_file(plan, auterion).map);
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
        "auterion-app-yml": app_file(plan, auterion).map,
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
        let mut overrides = app_file(plan, auterion).map;
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
            environment.retain(|key, _| !of_plan.is_some_and(|service| service.container.secrets.contains_key(key)));
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

fn service(plan: &Plan, auterion: &Auterion, service: &Service) -> Piece {
    let (mut map, mut notes) = (Map::new(), Vec::new());
    let name = &service.name;
    let usual = format!("{}.{name}:{}", plan.slug(), plan.version);
    let image = &service.container.image;
    if image.as_str() == usual {
        map.insert("build".into(), format!("docker/{name}").into());
    } else {
        map.insert("image".into(), image.as_str().into());
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
    } else if !service.routes.is_empty() {
        let text = format!(
            "the routes of {{services}} are left out: they need `api-version = 2`, and this app has {}",
            auterion.api_version
        );
        notes.push(Code::RoutesIgnored.note_of(name, text));
    }
    merge(&mut map, &service.auterion);
    Piece { map, notes }
}

/// The settings that differ from the device's defaults.
fn compose_override(plan: &Plan, service: &Service) -> Piece {
    let (name, container) = (&service.name, service.described());
    let mut notes = Vec::new();
    let on_host = container.network_mode.as_deref().is_none_or(|mode| mode == "host");
    let moved = |port: &&Port| port.host_number().is_some_and(|host| host != port.container);
    if on_host && let Some(port) = container.ports.iter().find(moved) {
        let (short, inside) = (port.short(), port.container);
        let text =
            format!("on AuterionOS, the port {short} of {{services}} is ignored: with the host's network, the port is {inside}");
        notes.push(Code::NetworkDiffers.note_of(name, text));
    }
    if !container.env_files.is_empty() {
        let text = "the `env-file` of {services} is not packed: on AuterionOS, use `settings.default.env`";
        notes.push(Code::EnvFileSource.note_of(name, text));
    }
    for variable in container.secrets.keys() {
        let text = format!("on AuterionOS, the device's user sets `{variable}` of {{services}} in the app's settings");
        notes.push(Code::SecretSource.note_of(name, text));
    }
    let has_named = container.volumes.iter().any(|volume| matches!(volume.source, VolumeSource::Named(_)));
    // The device makes the folder as root, and a folder that is mounted keeps its owner.
    let as_root = has_named && !service.compose.get("user").is_some_and(|user| user != AS_ROOT);
    if as_root && !service.container.user.as_deref().unwrap_or_default().starts_with("0:") {
        let text = "on AuterionOS, the user of {services} is root, because the device creates folders of volumes as root";
        notes.push(Code::UserDiffers.note_of(name, text));
    }
    if container.replicas.is_some_and(|replicas| replicas != 1) {
        let text = "on AuterionOS, `replicas` of {services} is ignored: each service runs once";
        notes.push(Code::ReplicasIgnored.note_of(name, text));
    }
    let user = if has_named { None } else { container.user };
    let container = Container {
        user,
        // On its network, the device says the network and opens every port.
        network_mode: container.network_mode.filter(|mode| mode != "host"),
        ports: if on_host { Vec::new() } else { container.ports },
        volumes: container.volumes.iter().map(|volume| on_device(plan, volume)).collect(),
        restart: container.restart.filter(|restart| restart != "unless-stopped"),
        secrets: BTreeMap::new(),
        replicas: None,
        // The device asks no service.
        health: None,
        ..container
    };
    // With `-p`, not all of the app's services are there.
    let is_there = |name: &&String| plan.services.iter().any(|other| other.name.as_str() == name.as_str());
    let depends_on: Vec<&String> = service.depends_on.iter().filter(is_there).collect();
    let depends_on = container::some(&depends_on).map(|names| json!(names));
    let Piece { map, notes: lost } = container::render(Map::new(), name.as_str(), &container, depends_on, None);
    notes.extend(lost);
    let mut over = Map::new();
    for (key, value) in map.into_iter().filter(|(key, _)| key != "image") {
        let after_volumes = key == "volumes" && has_named;
        over.insert(key, value);
        if after_volumes {
            over.insert("user".into(), AS_ROOT.into());
        }
    }
    merge(&mut over, &service.compose);
    Piece { map: over, notes }
}

/// A volume as a folder on the device.
fn on_device(plan: &Plan, volume: &Volume) -> Volume {
    let data = format!("/data/app/{}/data", plan.slug());
    let source = match &volume.source {
        VolumeSource::Named(name) if name == "data" => data,
        VolumeSource::Named(name) => format!("{data}/{name}"),
        VolumeSource::Host(path) => path.clone(),
    };
    Volume { source: VolumeSource::Host(source), ..volume.clone() }
}
