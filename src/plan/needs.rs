//! What runs beside services while they are developed or tested.

use std::collections::BTreeMap;

use super::deployment;
use super::manifests::{self, ServiceSource};
use super::service::Report;
use crate::app::{BaseChoice, Dependency, Name, Needs, Port, Probe, Protocol, Service};
use crate::config::tables::{DependencyTable, NeedsTable, PortValue};
use crate::config::{Problems, Step, schema};

/// Seconds that a dependency may take, unless its table says otherwise.
const WAIT: u64 = 60;

/// What `test` and `dev` say, in this order; `dev` is as `test` where it says nothing.
pub fn resolve(source: &ServiceSource<'_>, report: &mut Report<'_>) -> (Option<Needs>, Needs) {
    let test = source.table.test.as_ref().map(|table| needs("test", table, report));
    let dev = source.table.dev.as_ref().map(|table| needs("dev", table, report));
    let dev = dev.or_else(|| test.clone()).unwrap_or_default();
    (test, dev)
}

fn needs(key: &'static str, table: &NeedsTable, report: &mut Report<'_>) -> Needs {
    let mut dependencies = BTreeMap::new();
    for (name, table) in &table.dependencies {
        let place = [Step::Key(key), Step::Key("dependencies"), Step::Key(name)];
        report.take(&place, Name::new(name));
        dependencies.insert(name.clone(), dependency(&place, table, report));
    }
    let environment = table.environment.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
    let needs = Needs { environment, dependencies };
    for (name, text) in &needs.environment {
        if let Err(why) = needs.fill(text, &|_, port| (String::new(), port)) {
            let known: Vec<&str> = needs.dependencies.keys().map(String::as_str).collect();
            let meant = text.split("${").nth(1).and_then(|rest| schema::nearest(rest.split(['.', '}']).next()?, &known));
            let near = meant.filter(|_| why.ends_with("names no dependency")).map(|near| format!("; did you mean `{near}`?"));
            let place = [Step::Key(key), Step::Key("environment"), Step::Key(name)];
            report.wrong(&place, why + &near.unwrap_or_default());
        }
    }
    needs
}

fn dependency(place: &[Step<'_>; 3], table: &DependencyTable, report: &mut Report<'_>) -> Dependency {
    let at = |key: &'static str| -> Vec<Step<'_>> { place.iter().copied().chain([Step::Key(key)]).collect() };
    if table.image.is_empty() || table.image.contains(char::is_whitespace) {
        report.wrong(&at("image"), format!("`{}` is not an image", table.image));
    }
    let mut ports = Vec::new();
    for (index, port) in table.ports.iter().enumerate() {
        let text = match port {
            PortValue::Text(text) => text.clone(),
            PortValue::Number(number) => number.to_string(),
        };
        let steps: Vec<Step<'_>> = at("ports").into_iter().chain([Step::Index(index)]).collect();
        ports.extend(report.take(&steps, Port::parse(&text)));
    }
    let tcp = |port: &&Port| port.protocol == Protocol::Tcp;
    let probe = match &table.healthcheck {
        None => ports.iter().find(tcp).map(|port| Probe::Port(port.container)),
        Some(probe) => match (&probe.path, probe.port, &probe.command) {
            (Some(path), Some(port), None) if path.starts_with('/') => Some(Probe::Http(path.clone(), port)),
            (None, Some(port), None) => Some(Probe::Port(port)),
            (None, None, Some(command)) if !command.is_empty() => Some(Probe::Command(command.clone())),
            _ => {
                let message = "`healthcheck` needs `port`, or `path` (from `/` on) and `port`, or else `command`";
                report.wrong(&at("healthcheck"), message);
                None
            }
        },
    };
    if let Some(Probe::Port(port) | Probe::Http(_, port)) = &probe
        && !ports.iter().any(|other| other.container == *port && other.protocol == Protocol::Tcp)
    {
        report.wrong(&at("healthcheck"), format!("the port `{port}` of the `healthcheck` is not one of the `ports`"));
    }
    let timeout = table.healthcheck.as_ref().and_then(|probe| probe.timeout.as_deref());
    let timeout = timeout.and_then(|text| {
        let steps: Vec<Step<'_>> = at("healthcheck").into_iter().chain([Step::Key("timeout")]).collect();
        report.take(&steps, deployment::duration(text))
    });
    Dependency {
        image: table.image.clone(),
        args: table.args.clone(),
        environment: table.environment.iter().map(|(name, value)| (name.clone(), value.to_string())).collect(),
        ports,
        probe,
        timeout,
        wait: table.wait.map_or(WAIT, u64::from),
    }
}

/// Under `dev` all dependencies stand in one network, each name once: services that use the same name mean the same by it.
pub fn check(sources: &[ServiceSource<'_>], services: &BTreeMap<String, (Service, BaseChoice)>, problems: &mut Problems) {
    let mut seen: BTreeMap<&str, (&Service, &Dependency)> = BTreeMap::new();
    for (service, _) in services.values() {
        for (name, dependency) in &service.dev.dependencies {
            let message = match seen.insert(name, (service, dependency)) {
                _ if services.contains_key(name) => format!("the dependency `{name}` has the name of a service"),
                Some((other, same)) if same != dependency => {
                    format!(
                        "the services `{}` and `{}` mean different things by the dependency `{name}`",
                        other.name, service.name
                    )
                }
                _ => continue,
            };
            let Some(source) = manifests::of(sources, service.name.as_str()) else { continue };
            let key = if source.table.dev.is_some() { "dev" } else { "test" };
            let steps = [Step::Key(key), Step::Key("dependencies"), Step::Key(name)];
            source.report(problems).wrong(&steps, message);
        }
    }
}
