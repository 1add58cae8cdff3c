//! `app.yml`: a compose file (Compose Specification).

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use super::{merge, parts, yaml};
use crate::app::Service;
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

/// What a compose file cannot say.
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

fn document(plan: &Plan) -> Value {
    let services: Map<String, Value> =
        plan.services.iter().map(|s| (s.name.to_string(), Value::Object(service(plan, s)))).collect();
    let mut document = Map::new();
    document.insert("name".into(), plan.name.to_string().into());
    document.insert("services".into(), services.into());
    let volumes = parts::volume_names(&plan.services);
    if !volumes.is_empty() {
        document.insert("volumes".into(), volumes.into_iter().map(|name| (name, json!({}))).collect::<Map<_, _>>().into());
    }
    document.into()
}

fn service(plan: &Plan, service: &Service) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("image".into(), service.image.to_string().into());
    map.insert("container_name".into(), service.name.to_string().into());
    map.insert("restart".into(), service.restart.as_deref().unwrap_or("unless-stopped").into());
    let known: Vec<&str> = plan.services.iter().map(|s| s.name.as_str()).collect();
    let depends_on: Vec<&String> = service.depends_on.iter().filter(|name| known.contains(&name.as_str())).collect();
    if !depends_on.is_empty() {
        map.insert("depends_on".into(), json!(depends_on));
    }
    common(&mut map, service);
    let host_network = service.network_mode.as_deref() == Some("host");
    if !service.ports.is_empty() && !host_network {
        map.insert("ports".into(), service.ports.iter().map(|port| Value::from(port.short())).collect());
    }
    let volumes: Vec<String> = service.volumes.iter().map(parts::volume).collect();
    if !volumes.is_empty() {
        map.insert("volumes".into(), json!(volumes));
    }
    if let Some(replicas) = service.replicas {
        map.insert("deploy".into(), json!({ "replicas": replicas }));
    }
    map.extend(parts::health(service.health.as_ref()).map(|value| ("healthcheck".to_owned(), value)));
    merge(&mut map, &service.compose);
    map
}

/// The keys that mean the same in every dialect.
pub fn common(map: &mut Map<String, Value>, service: &Service) {
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
