//! Compose files (Compose Specification): `app.yml`, and one for `docker-compose` and `docker compose`.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use super::document::{Piece, Rendered, merge, yaml};
use super::{container, parts};
use crate::app::{Container, GeneratedFile, Service};
use crate::diagnostic::{Code, Note};
use crate::plan::{Plan, VERSION_MARK};

/// `app.yml`: the workspace's own file with the version filled in, or else a file generated from the tables.
pub fn app_yml(plan: &Plan) -> Result<Rendered> {
    let Some(text) = &plan.template else {
        let Piece { map, notes } = document(plan);
        let file = GeneratedFile { path: "app.yml".into(), contents: yaml(&map.into())? };
        let notes = notes.into_iter().map(|note| note.of("`app.yml`")).collect();
        return Ok(Rendered { files: vec![file], notes });
    };
    debug_assert!(!text.contains(VERSION_MARK));
    Ok(Rendered { files: vec![GeneratedFile { path: "app.yml".into(), contents: text.clone() }], notes: Vec::new() })
}

/// The same as a value.
pub fn document_of(plan: &Plan) -> Result<Value> {
    match &plan.template {
        Some(text) => serde_saphyr::from_str(text).context("failed to read `app.yml`"),
        None => Ok(document(plan).map.into()),
    }
}

/// A file for `docker-compose` from 1.27 on and for `docker compose`. With a prefix, images are those that `push --repo PREFIX` sends. Volumes have the names that `run` gives them.
///
/// The file lies in a folder with the app's name, which compose takes as the project's: apps with the same project would remove each
/// other's containers. The key `name` would say it better, but `docker-compose` 1 refuses it.
pub fn files(plan: &Plan, prefix: Option<&str>) -> Result<Rendered> {
    let project = format!("compose/{}", plan.name);
    let folder = plan.output.join(&project);
    let mut notes: Vec<Note> = parts::note_of_template(plan).into_iter().collect();
    let mut services = Vec::new();
    for of in &plan.services {
        let container = Container { image: of.image_in(prefix), ..of.described() };
        let mut piece = service(plan, of, &container, Some(&folder));
        notes.append(&mut piece.notes);
        notes.extend(notes_of_service(of));
        if let Some(port) = container.ports.iter().find(|port| port.host.is_some())
            && container.is_replicated()
            && !container.is_on_host()
        {
            let text = format!("only one replica of {{services}} gets the port {}", port.short());
            notes.push(Code::ReplicasIgnored.note_of(&of.name, text));
        }
        merge(&mut piece.map, &of.compose);
        services.push((of.name.to_string(), piece.map));
    }
    let contents = yaml(&with_volumes(plan, services, parts::volume_names(&plan.services)))?;
    let files = vec![GeneratedFile { path: format!("{project}/docker-compose.yml"), contents }];
    Ok(Rendered { files, notes })
}

/// A document of these services and volumes. Volumes have the app's name before their own.
pub fn with_volumes(plan: &Plan, services: Vec<(String, Map<String, Value>)>, volumes: Vec<String>) -> Value {
    let mut document = Map::new();
    let services: Map<String, Value> = services.into_iter().map(|(name, service)| (name, service.into())).collect();
    document.insert("services".into(), services.into());
    let volumes: Map<String, Value> =
        volumes.into_iter().map(|name| (name.clone(), json!({ "name": format!("{}_{name}", plan.name) }))).collect();
    if !volumes.is_empty() {
        document.insert("volumes".into(), volumes.into());
    }
    document.into()
}

/// Notes on what compose files cannot express, and on where secrets come from.
pub fn notes_of_service(service: &Service) -> Vec<Note> {
    let name = &service.name;
    let mut notes = Vec::new();
    if !service.routes.is_empty() {
        notes.push(Code::RoutesIgnored.note_of(name, "the routes of {services} are left out: compose has no proxy"));
    }
    notes.extend(notes_of_secrets(name.as_str(), &service.container));
    notes
}

/// A note on where the secrets of a container come from.
pub fn notes_of_secrets(name: &str, container: &Container) -> impl Iterator<Item = Note> {
    let said = move |variable| {
        let text = format!("`{variable}` of {{services}} comes from the environment of `docker-compose`, or from an `.env` file");
        Code::SecretSource.note_of(name, text)
    };
    container.secrets.keys().map(said)
}

fn document(plan: &Plan) -> Piece {
    let mut notes = Vec::new();
    let mut services = Map::new();
    for of in &plan.services {
        let mut piece = service(plan, of, &of.described(), None);
        notes.append(&mut piece.notes);
        if let Some(Value::Object(after)) = piece.map.get("depends_on") {
            // Conditions are more than what AuterionOS reads.
            let names: Vec<String> = after.keys().cloned().collect();
            piece.map.insert("depends_on".into(), json!(names));
        }
        merge(&mut piece.map, &of.compose);
        services.insert(of.name.to_string(), piece.map.into());
    }
    let mut map = Map::new();
    map.insert("name".into(), plan.name.to_string().into());
    map.insert("services".into(), services.into());
    let volumes = parts::volume_names(&plan.services);
    if !volumes.is_empty() {
        map.insert("volumes".into(), volumes.into_iter().map(|name| (name, json!({}))).collect::<Map<_, _>>().into());
    }
    Piece { map, notes }
}

/// A service as this container, without what its own `compose = { … }` says. `folder` is where the file stands. `app.yml` has none: it
/// names no files of variables, and it names containers, which tools of AuterionOS look for.
pub fn service(plan: &Plan, service: &Service, container: &Container, folder: Option<&Path>) -> Piece {
    let mut map = Map::new();
    map.insert("image".into(), Value::Null);
    if folder.is_none() && !container.is_replicated() {
        map.insert("container_name".into(), service.name.to_string().into());
    }
    map.insert("restart".into(), "unless-stopped".into());
    let after = depends_on(plan, service);
    map.extend(after.clone().map(|after| ("depends_on".to_owned(), after)));
    container::render(map, service.name.as_str(), container, after, folder)
}

/// The services that start before: as a list, or with conditions where one of them has a health check that a compose file can say.
fn depends_on(plan: &Plan, service: &Service) -> Option<Value> {
    let find = |name: &String| plan.services.iter().find(|other| other.name.as_str() == name);
    let known: Vec<&Service> = service.depends_on.iter().filter_map(find).collect();
    let is_checked = |other: &Service| other.container.health.as_ref().is_some_and(|health| health.inside().is_some());
    if known.is_empty() {
        return None;
    }
    if !known.iter().any(|other| is_checked(other)) {
        return Some(known.iter().map(|other| Value::from(other.name.as_str())).collect());
    }
    let condition = |other: &Service| if is_checked(other) { "service_healthy" } else { "service_started" };
    let all = known.iter().map(|other| (other.name.to_string(), json!({ "condition": condition(other) })));
    Some(all.collect::<Map<_, _>>().into())
}
