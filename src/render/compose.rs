//! Compose files (Compose Specification): `app.yml`, and one for `docker-compose` and `docker compose`.

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use super::{merge, parts, yaml};
use crate::app::{GeneratedFile, Service};
use crate::plan::{Plan, VERSION_MARK};

/// The workspace's own file with the version in it, else one made of the tables.
pub fn app_yml(plan: &Plan) -> Result<String> {
    let text = match &plan.template {
        Some(text) => text.clone(),
        None => yaml(&document(plan))?,
    };
    debug_assert!(!text.contains(VERSION_MARK));
    Ok(text)
}

/// The same as a value.
pub fn document_of(plan: &Plan) -> Result<Value> {
    match &plan.template {
        Some(text) => serde_saphyr::from_str(text).context("failed to read `app.yml`"),
        None => Ok(document(plan)),
    }
}

/// A file for `docker-compose` from 1.27 on and for `docker compose`. With a prefix, images are those that `push --repo PREFIX` sends. Volumes have the names that `run` gives them.
pub fn file(plan: &Plan, prefix: Option<&str>) -> Result<GeneratedFile> {
    let folder = plan.output.join("compose");
    let services = plan.services.iter().map(|s| {
        let mut map = service(plan, s);
        let (name, tag) = parts::image(s, prefix);
        map.insert("image".into(), format!("{name}:{tag}").into());
        map.extend(parts::env_files(s, &folder).map(|value| ("env_file".to_owned(), value)));
        merge(&mut map, &s.compose);
        (s.name.to_string(), map)
    });
    let contents = yaml(&with_volumes(plan, services.collect()))?;
    Ok(GeneratedFile { path: "compose/docker-compose.yml".into(), contents })
}

/// A document of these services, with the volumes that the app has.
pub fn with_volumes(plan: &Plan, services: Vec<(String, Map<String, Value>)>) -> Value {
    let mut document = Map::new();
    let services: Map<String, Value> = services.into_iter().map(|(name, service)| (name, service.into())).collect();
    document.insert("services".into(), services.into());
    let named = parts::volume_names(&plan.services).into_iter();
    let volumes: Map<String, Value> =
        named.map(|name| (name.clone(), json!({ "name": format!("{}_{name}", plan.name) }))).collect();
    if !volumes.is_empty() {
        document.insert("volumes".into(), volumes.into());
    }
    document.into()
}

/// What `app.yml` cannot say.
pub fn notes(plan: &Plan) -> Vec<String> {
    let mut notes = Vec::new();
    if plan.template.is_some() {
        return notes;
    }
    for service in &plan.services {
        if service.health.as_ref().is_some_and(|health| health.http.is_some()) {
            notes.push(format!(
                "`app.yml` leaves out the health check of `{}`: its image has no program that asks over HTTP",
                service.name
            ));
        }
    }
    notes
}

/// What [`file()`] cannot say.
pub fn notes_of_file(plan: &Plan) -> Vec<String> {
    let mut notes = Vec::new();
    let mut note = |text: String| notes.push(format!("compose: {text}"));
    parts::note_of_template(plan).into_iter().for_each(&mut note);
    for service in &plan.services {
        let name = &service.name;
        notes_of_service(service).into_iter().for_each(&mut note);
        if let Some(port) = service.ports.iter().find(|port| port.host.is_some())
            && service.replicas.is_some_and(|replicas| replicas > 1)
            && service.network_mode.as_deref() != Some("host")
        {
            note(format!("of the replicas of `{name}` only one gets the port {}", port.short()));
        }
    }
    notes
}

/// What no compose file can say of a service.
pub fn notes_of_service(service: &Service) -> Vec<String> {
    let name = &service.name;
    let mut notes = Vec::new();
    if service.health.as_ref().is_some_and(|health| health.http.is_some()) {
        notes.push(format!("the health check of `{name}` is left out: its image has no program that asks over HTTP"));
    }
    if !service.routes.is_empty() {
        notes.push(format!("the routes of `{name}` are left out: compose has no proxy"));
    }
    for variable in service.secrets.keys() {
        notes.push(format!("`{variable}` of `{name}` comes from the environment of `docker-compose`, or from an `.env` file"));
    }
    notes
}

fn document(plan: &Plan) -> Value {
    let services: Map<String, Value> = plan
        .services
        .iter()
        .map(|s| {
            let mut map = service(plan, s);
            if let Some(Value::Object(after)) = map.get("depends_on") {
                // Conditions are more than what AuterionOS reads.
                let names: Vec<String> = after.keys().cloned().collect();
                map.insert("depends_on".into(), json!(names));
            }
            merge(&mut map, &s.compose);
            (s.name.to_string(), Value::Object(map))
        })
        .collect();
    let mut document = Map::new();
    document.insert("name".into(), plan.name.to_string().into());
    document.insert("services".into(), services.into());
    let volumes = parts::volume_names(&plan.services);
    if !volumes.is_empty() {
        document.insert("volumes".into(), volumes.into_iter().map(|name| (name, json!({}))).collect::<Map<_, _>>().into());
    }
    document.into()
}

/// A service without what its own `compose = { … }` says.
pub fn service(plan: &Plan, service: &Service) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("image".into(), service.image.to_string().into());
    if service.replicas.is_none_or(|replicas| replicas < 2) {
        map.insert("container_name".into(), service.name.to_string().into());
    }
    map.insert("restart".into(), service.restart.as_deref().unwrap_or("unless-stopped").into());
    let known: Vec<&Service> =
        service.depends_on.iter().filter_map(|name| plan.services.iter().find(|s| s.name.as_str() == name)).collect();
    if known.iter().any(|other| parts::health(other.health.as_ref()).is_some()) {
        let condition = |other: &Service| match parts::health(other.health.as_ref()) {
            Some(_) => "service_healthy",
            None => "service_started",
        };
        let all = known.iter().map(|other| (other.name.to_string(), json!({ "condition": condition(other) })));
        map.insert("depends_on".into(), all.collect::<Map<_, _>>().into());
    } else if !known.is_empty() {
        map.insert("depends_on".into(), known.iter().map(|other| Value::from(other.name.as_str())).collect());
    }
    common(&mut map, service);
    map.extend(parts::environment(service).map(|value| ("environment".to_owned(), value)));
    let host_network = service.network_mode.as_deref() == Some("host");
    if !host_network {
        map.extend(parts::ports(&service.ports));
    }
    let volumes: Vec<String> = service.volumes.iter().map(parts::volume).collect();
    if !volumes.is_empty() {
        map.insert("volumes".into(), json!(volumes));
    }
    if let Some(replicas) = service.replicas {
        map.insert("deploy".into(), json!({ "replicas": replicas }));
    }
    map.extend(parts::limits(&service.resources));
    map.extend(service.stop_grace_period.as_ref().map(|time| ("stop_grace_period".to_owned(), time.clone().into())));
    map.extend(parts::health(service.health.as_ref()).map(|value| ("healthcheck".to_owned(), value)));
    map
}

/// The keys that mean the same in every dialect.
pub fn common(map: &mut Map<String, Value>, service: &Service) {
    map.extend(parts::command(service));
    if !service.environment.is_empty() {
        let environment = service.environment.iter().map(|(name, value)| (name.clone(), Value::from(parts::escaped(value))));
        map.insert("environment".into(), environment.collect::<Map<_, _>>().into());
    }
    if let Some(mode) = &service.network_mode {
        map.insert("network_mode".into(), mode.clone().into());
    }
    if !service.devices.is_empty() {
        map.insert("devices".into(), json!(service.devices));
    }
    if service.privileged {
        map.insert("privileged".into(), true.into());
    }
}
