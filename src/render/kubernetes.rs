//! Manifests of Kubernetes, plain and as a base for kustomize.

mod notes;
mod pod;
mod probe;

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::{merge, parts, yaml};
use crate::app::{GeneratedFile, Port, Protocol, Route, Service, VolumeSource};
use crate::plan::Plan;

pub use notes::notes;

/// What a volume asks for, unless the app's table says so.
const STORAGE: &str = "1Gi";

/// All manifests. With a prefix, images are those that `push --repo PREFIX` sends.
pub fn files(plan: &Plan, prefix: Option<&str>) -> Result<Vec<GeneratedFile>> {
    let mut parts: Vec<(String, Vec<Value>)> = Vec::new();
    let volumes: Vec<Value> = parts::volume_names(&plan.services).iter().map(|name| claim(plan, name)).collect();
    parts.push(("volumes".into(), volumes));
    for service in &plan.services {
        let mut documents = Vec::new();
        documents.extend(config_map(plan, service));
        documents.extend(cluster_service(plan, service));
        documents.push(deployment(plan, service, prefix));
        parts.push((format!("service-{}", service.name), documents));
    }
    parts.push(("ingress".into(), ingress(plan).into_iter().collect()));
    parts.retain(|(_, documents)| !documents.is_empty());
    let mut files = Vec::new();
    for (name, documents) in &parts {
        let texts = documents.iter().map(yaml).collect::<Result<Vec<_>>>()?;
        files.push(GeneratedFile { path: format!("kubernetes/{name}.yaml"), contents: texts.join("---\n") });
    }
    let images: BTreeMap<String, String> = plan.services.iter().map(|service| parts::image(service, prefix)).collect();
    let images = images.iter().map(|(name, tag)| json!({ "name": name, "newTag": tag }));
    let kustomization = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": parts.iter().map(|(name, _)| format!("{name}.yaml")).collect::<Vec<_>>(),
        "images": images.collect::<Vec<_>>(),
    });
    files.push(GeneratedFile { path: "kubernetes/kustomization.yaml".into(), contents: yaml(&kustomization)? });
    Ok(files)
}

fn labels(plan: &Plan, service: Option<&Service>) -> Map<String, Value> {
    let mut labels = Map::new();
    labels.extend(service.map(|service| ("app.kubernetes.io/name".to_owned(), service.name.as_str().into())));
    labels.insert("app.kubernetes.io/part-of".into(), plan.name.as_str().into());
    labels
}

/// The same, and those that may change.
fn all_labels(plan: &Plan, service: Option<&Service>) -> Map<String, Value> {
    let mut labels = labels(plan, service);
    let version = plan.version.tag.as_str();
    let alphanumeric = |c: char| c.is_ascii_alphanumeric();
    if version.len() <= 63 && version.starts_with(alphanumeric) && version.ends_with(alphanumeric) {
        labels.insert("app.kubernetes.io/version".into(), version.into());
    }
    labels
}

fn claim_name(plan: &Plan, volume: &str) -> String {
    format!("{}-{volume}", plan.name)
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

fn config_name(service: &Service) -> String {
    format!("{}-environment", service.name)
}

fn config_map(plan: &Plan, service: &Service) -> Option<Value> {
    let value = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": config_name(service), "labels": all_labels(plan, Some(service)) },
        "data": service.environment,
    });
    (!service.environment.is_empty()).then_some(value)
}

/// The ports at which a service can be reached: its own, and those of its routes.
fn reached(service: &Service) -> Vec<Port> {
    let mut ports: Vec<Port> = service.ports.iter().map(|port| Port { host: None, ..port.clone() }).collect();
    for route in service.routes.values() {
        if let Route::Port(container) = route {
            ports.push(Port { host: None, container: *container, protocol: Protocol::Tcp });
        }
    }
    ports.sort_by_key(|port| (port.container, port.exposed()));
    ports.dedup();
    ports
}

fn protocol(port: &Port) -> &'static str {
    match port.protocol {
        Protocol::Tcp => "TCP",
        Protocol::Udp => "UDP",
    }
}

/// The k8s Service: others find the service by its name and at the ports in its container, as with compose.
fn cluster_service(plan: &Plan, service: &Service) -> Option<Value> {
    let ports: Vec<Value> = reached(service)
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

fn deployment(plan: &Plan, service: &Service, prefix: Option<&str>) -> Value {
    let mut spec = Map::new();
    spec.insert("replicas".into(), service.replicas.unwrap_or(1).into());
    spec.insert("selector".into(), json!({ "matchLabels": labels(plan, Some(service)) }));
    let owns_something = service.volumes.iter().any(|volume| matches!(volume.source, VolumeSource::Named(_)));
    if owns_something || service.network_mode.as_deref() == Some("host") {
        // What the old pod holds, its volume or its ports, the new one would wait for in vain.
        spec.insert("strategy".into(), json!({ "type": "Recreate" }));
    }
    spec.insert("template".into(), pod::template(plan, service, prefix));
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": service.name, "labels": all_labels(plan, Some(service)) },
        "spec": spec,
    })
}

/// All routes to ports, by path.
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
