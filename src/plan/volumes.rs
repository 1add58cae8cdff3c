//! Resolves the settings of named volumes.

use std::collections::BTreeMap;

use super::manifests::AppSource;
use crate::app::{Claim, Memory, Service, VolumeSource};
use crate::config::{Problems, Step, schema};
use crate::diagnostic::Code;

/// What the app's table wants of each volume; every one of them is some service's.
pub fn resolve(app: &AppSource, services: &BTreeMap<String, Service>, problems: &mut Problems) -> BTreeMap<String, Claim> {
    let of_services = services.values().flat_map(|service| &service.container.volumes);
    let known: Vec<&str> = of_services
        .filter_map(|volume| match &volume.source {
            VolumeSource::Named(name) => Some(name.as_str()),
            VolumeSource::Host(_) => None,
        })
        .collect();
    let mut report = app.report(problems);
    let mut claims = BTreeMap::new();
    for (name, table) in &app.table.volumes {
        let place = [Step::Key("volumes"), Step::Key(name)];
        if !known.contains(&name.as_str()) {
            let near = schema::did_you_mean(name, &known);
            report.wrong(Code::InvalidName, &place, format!("no service has a volume `{name}`{near}"));
        }
        let size = table.size.as_ref().and_then(|text| {
            let size = Memory::parse(text).map_err(|_| format!("`{text}` is not a size: write `512Mi` or `10Gi`"));
            report.take(Code::InvalidValue, &[place[0], place[1], Step::Key("size")], size)
        });
        claims.insert(name.clone(), Claim { size, kubernetes: table.kubernetes.clone().unwrap_or_default() });
    }
    claims
}
