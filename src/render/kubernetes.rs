//! Kubernetes manifests, which can also be used as a kustomize base.

mod names;
mod pod;
mod probe;

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Map, Value, json};

use self::names::{all_labels, claim_name, config_name, labels, protocol, reached};
use super::document::{Piece, Rendered, merge, yaml};
use super::parts;
use crate::app::{Claim, GeneratedFile, Route, Service, VolumeSource};
use crate::diagnostic::{Code, Note};
use crate::plan::Plan;

/// Default size of a volume.
const STORAGE: &str = "1Gi";

/// Renders all manifests. With a prefix, images have the names that `push --repo PREFIX` pushes.
pub fn files(plan: &Plan, prefix: Option<&str>) -> Result<Rendered> {
    let mut notes: Vec<Note> = parts::note_of_template(plan).into_iter().collect();
    let mut parts: Vec<(String, Vec<Value>)> = Vec::new();
    let volumes = parts::volume_names(&plan.services);
    notes.extend(volumes.iter().filter_map(|name| note_of_claim(plan, name)));
    parts.push(("volumes".into(), volumes.iter().map(|name| claim(plan, name)).collect()));
    for service in &plan.services {
        let mut documents = Vec::new();
        documents.extend(config_map(plan, service));
        documents.extend(cluster_service(plan, service));
        let (deployment, lost) = deployment(plan, service, prefix);
        documents.push(deployment);
        notes.extend(notes_of_service(service));
        notes.extend(lost);
        parts.push((format!("service-{}", service.name), documents));
    }
    parts.push(("ingress".into(), ingress(plan).into_iter().collect()));
    parts.retain(|(_, documents)| !documents.is_empty());
    let mut files = Vec::new();
    for (name, documents) in &parts {
        let texts = documents.iter().map(yaml).collect::<Result<Vec<_>>>()?;
        files.push(GeneratedFile { path: format!("kubernetes/{name}.yaml"), contents: texts.join("---\n") });
    }
    let images: BTreeMap<String, String> = plan
        .services
        .iter()
        .map(|service| service.image_in(prefix))
        .map(|image| (image.name().to_owned(), image.tag().to_owned()))
        .collect();
    let images = images.iter().map(|(name, tag)| json!({ "name": name, "newTag": tag }));
    let kustomization = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": parts.iter().map(|(name, _)| format!("{name}.yaml")).collect::<Vec<_>>(),
        "images": images.collect::<Vec<_>>(),
    });
    files.push(GeneratedFile { path: "kubernetes/kustomization.yaml".into(), contents: yaml(&kustomization)? });
    Ok(Rendered { files, notes })
}

/// Notes on what Kubernetes does differently for a service, apart from its pod.
fn notes_of_service(service: &Service) -> Vec<Note> {
    let (name, container) = (&service.name, &service.container);
    let mut notes = Vec::new();
    if !service.depends_on.is_empty() {
        let others: Vec<String> = service.depends_on.iter().map(|other| format!("`{other}`")).collect();
        let text = format!("all services start at once: {{services}} must retry until {} answers", others.join(", "));
        notes.push(Code::OrderIgnored.note_of(name, text));
    }
    for port in container.ports.iter().filter(|port| port.host.is_some()) {
        if !container.is_on_host() && !service.routes.values().any(|route| *route == Route::Port(port.container)) {
            let (short, inside) = (port.short(), port.container);
            let text = format!("the port {short} of {{services}} can be reached only inside the cluster, as {name}:{inside}");
            notes.push(Code::PortReach.note_of(name, text));
        }
    }
    for (path, route) in &service.routes {
        if let Route::StaticRoot(_) = route {
            let text = format!("the route `{path}` of {{services}} is left out: an Ingress does not serve files");
            notes.push(Code::RoutesIgnored.note_of(name, text));
        }
    }
    notes
}

/// The note on a claim whose size no table sets.
fn note_of_claim(plan: &Plan, name: &str) -> Option<Note> {
    let is_said = |wanted: &Claim| wanted.size.is_some() || wanted.kubernetes.contains_key("resources");
    if plan.volumes.get(name).is_some_and(is_said) {
        return None;
    }
    let claim = claim_name(plan, name);
    let text = format!("the claim `{claim}` requests {STORAGE}; set `volumes.{name}.size` in the app's table to change that");
    Some(Code::VolumeSize.note(text))
}

fn claim(plan: &Plan, volume: &str) -> Value {
    let wanted = plan.volumes.get(volume);
    let size = wanted.and_then(|wanted| wanted.size.as_ref()).map_or(STORAGE, |size| size.written.as_str());
    let mut spec = Map::new();
    spec.insert("accessModes".into(), json!(["ReadWriteOnce"]));
    spec.insert("resources".into(), json!({ "requests": { "storage": size } }));
    merge(&mut spec, &wanted.map(|wanted| wanted.kubernetes.clone()).unwrap_or_default());
    json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": { "name": claim_name(plan, volume), "labels": all_labels(plan, None) },
        "spec": spec,
    })
}

fn config_map(plan: &Plan, service: &Service) -> Option<Value> {
    let value = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": config_name(service), "labels": all_labels(plan, Some(service)) },
        "data": service.container.environment,
    });
    (!service.container.environment.is_empty()).then_some(value)
}

/// The k8s Service: others find the service by its name and at the ports in its container, as with compose.
fn cluster_service(plan: &Plan, service: &Service) -> Option<Value> {
    let ports: Vec<Value> = reached(&service.container.ports, &service.routes)
        .iter()
        .map(|port| {
            let name = format!("{}-{}", protocol(port).to_lowercase(), port.container);
            json!({ "name": name, "port": port.container, "targetPort": port.container, "protocol": protocol(port) })
        })
        .collect();
    let value = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": service.name, "labels": all_labels(plan, Some(service)) },
        "spec": { "selector": labels(plan, Some(service)), "ports": ports },
    });
    (!ports.is_empty()).then_some(value)
}

fn deployment(plan: &Plan, service: &Service, prefix: Option<&str>) -> (Value, Vec<Note>) {
    let mut spec = Map::new();
    spec.insert("replicas".into(), service.container.replicas.unwrap_or(1).into());
    spec.insert("selector".into(), json!({ "matchLabels": labels(plan, Some(service)) }));
    let owns_something = service.container.volumes.iter().any(|volume| matches!(volume.source, VolumeSource::Named(_)));
    if owns_something || service.container.is_on_host() {
        // A new pod could not start while the old one holds its volume or its ports.
        spec.insert("strategy".into(), json!({ "type": "Recreate" }));
    }
    let Piece { map, notes } = pod::template(plan, service, prefix);
    spec.insert("template".into(), map.into());
    let value = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": service.name, "labels": all_labels(plan, Some(service)) },
        "spec": spec,
    });
    (value, notes)
}

/// All routes that lead to ports, by path.
fn ingress(plan: &Plan) -> Option<Value> {
    let mut routes: BTreeMap<&str, (&Service, u16)> = BTreeMap::new();
    for service in &plan.services {
        for (path, route) in &service.routes {
            if let Route::Port(port) = route {
                routes.insert(path, (service, *port));
            }
        }
    }
    let paths: Vec<Value> = routes
        .iter()
        .map(|(path, (service, port))| {
            let backend = json!({ "service": { "name": service.name, "port": { "number": port } } });
            json!({ "path": path, "pathType": "Prefix", "backend": backend })
        })
        .collect();
    let value = json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": { "name": plan.name, "labels": all_labels(plan, None) },
        "spec": { "rules": [{ "http": { "paths": paths } }] },
    });
    (!paths.is_empty()).then_some(value)
}
