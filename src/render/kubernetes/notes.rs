//! What Kubernetes does otherwise, or not at all.

use super::pod::{env_file_secret, owner};
use super::{STORAGE, claim_name, probe};
use crate::app::{Route, Service, VolumeSource};
use crate::plan::Plan;
use crate::render::parts;

/// In words for the user.
pub fn notes(plan: &Plan) -> Vec<String> {
    let mut notes: Vec<String> = parts::note_of_template(plan).into_iter().collect();
    let names = parts::volume_names(&plan.services);
    for name in names {
        let wanted = plan.volumes.get(&name);
        if wanted.is_none_or(|wanted| wanted.size.is_none() && !wanted.kubernetes.contains_key("resources")) {
            let claim = claim_name(plan, &name);
            notes
                .push(format!("the claim `{claim}` asks for {STORAGE}; `volumes.{name}.size` in the app's table says otherwise"));
        }
    }
    for service in &plan.services {
        of_service(plan, service, &mut notes);
    }
    notes.iter().map(|note| format!("kubernetes: {note}")).collect()
}

fn of_service(plan: &Plan, service: &Service, notes: &mut Vec<String>) {
    let name = &service.name;
    if !service.depends_on.is_empty() {
        let others: Vec<String> = service.depends_on.iter().map(|other| format!("`{other}`")).collect();
        notes.push(format!("all services start at once: `{name}` has to try again until {} answers", others.join(", ")));
    }
    if service.network_mode.as_deref() == Some("host") {
        notes.push(format!("`{name}` is on its node's network: at 127.0.0.1 it finds only services on the same node"));
    }
    if service.network_mode.as_deref() == Some("none") {
        notes.push(format!("`{name}` has a network: no pod has none; a NetworkPolicy can close it"));
    }
    for port in service.ports.iter().filter(|port| port.host.is_some()) {
        if service.network_mode.as_deref() != Some("host") && !service.routes.values().any(|r| *r == Route::Port(port.container))
        {
            notes.push(format!(
                "the port {} of `{name}` is open in the cluster alone, as {name}:{}",
                port.short(),
                port.container
            ));
        }
    }
    for (path, route) in &service.routes {
        if let Route::StaticRoot(_) = route {
            notes.push(format!("the route `{path}` of `{name}` is left out: an Ingress serves no files"));
        }
    }
    if let Some(restart) = service.restart.as_deref().filter(|restart| matches!(*restart, "no" | "on-failure")) {
        notes.push(format!("`{name}` is started again whenever it ends: a Deployment knows no `restart = \"{restart}\"`"));
    }
    let named = service.volumes.iter().find_map(|volume| match &volume.source {
        VolumeSource::Named(volume) => Some(volume),
        VolumeSource::Host(_) => None,
    });
    if let Some(volume) = named.filter(|_| service.replicas.is_some_and(|replicas| replicas > 1)) {
        notes.push(format!("the replicas of `{name}` share the volume `{volume}`, which only pods of one node can"));
    }
    if !service.devices.is_empty() && !service.privileged {
        notes.push(format!("the devices of `{name}` are left out: Kubernetes gives them through a device plugin"));
    }
    if owner(service).0.is_none() {
        notes.push(format!("`{name}` runs as its image's user `{}`: Kubernetes takes numbers alone", service.user));
    }
    for path in &service.env_files {
        notes.push(format!(
            "the `env-file` of `{name}` is read from a secret: `kubectl create secret generic {} --from-env-file={}`",
            env_file_secret(service),
            path.strip_prefix(&plan.workspace).unwrap_or(path).display()
        ));
    }
    for (variable, at) in &service.secrets {
        notes.push(format!(
            "`{variable}` of `{name}` is the key `{}` of the secret `{}`, which has to be there",
            at.key, at.secret
        ));
    }
    for time in service.health.iter().flat_map(probe::unreadable) {
        notes.push(format!("the health check of `{name}` has its default in the place of `{time}`, which is no time"));
    }
    if !service.labels.is_empty() {
        notes.push(format!("the labels of `{name}` are on its image, not on its pods"));
    }
}
