//! Resolves the `test` and `dev` tables of services.

use std::collections::BTreeMap;
use std::path::Path;

use super::container;
use super::manifests::{self, ServiceSource};
use super::report::Report;
use crate::app::{Container, Dependency, Health, ImageRef, Name, Needs, Port, Probe, Protocol, Service};
use crate::config::tables::{DependencyTable, NeedsTable};
use crate::config::{Problems, Step, schema};
use crate::diagnostic::Code;

/// Default number of seconds to wait for a dependency.
const WAIT: u64 = 60;

/// The needs for `test` and for `dev`, in this order. Without a `dev` table, `dev` uses those of `test`.
pub fn resolve(source: &ServiceSource<'_>, report: &mut Report<'_>) -> (Option<Needs>, Needs) {
    let folder = source.member.folder();
    let test = source.table.test.as_ref().map(|table| needs("test", table, folder, report));
    let dev = source.table.dev.as_ref().map(|table| needs("dev", table, folder, report));
    let dev = dev.or_else(|| test.clone()).unwrap_or_default();
    (test, dev)
}

fn needs(key: &'static str, table: &NeedsTable, folder: &Path, report: &mut Report<'_>) -> Needs {
    let mut dependencies = BTreeMap::new();
    for (name, table) in &table.dependencies {
        let place = [Step::Key(key), Step::Key("dependencies"), Step::Key(name)];
        report.take(Code::InvalidName, &place, Name::new(name));
        dependencies.insert(name.clone(), dependency(&place, table, folder, report));
    }
    let environment = table.environment.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
    let needs = Needs { environment, dependencies };
    for (name, text) in &needs.environment {
        if let Err(why) = needs.fill(text, &|_, port| (String::new(), port)) {
            let known: Vec<&str> = needs.dependencies.keys().map(String::as_str).collect();
            let meant = text.split("${").nth(1).and_then(|rest| schema::nearest(rest.split(['.', '}']).next()?, &known));
            let near =
                meant.filter(|_| why.ends_with("does not name a dependency")).map(|near| format!("; did you mean `{near}`?"));
            let place = [Step::Key(key), Step::Key("environment"), Step::Key(name)];
            report.wrong(Code::InvalidValue, &place, why + &near.unwrap_or_default());
        }
    }
    needs
}

fn dependency(place: &[Step<'_>; 3], table: &DependencyTable, folder: &Path, report: &mut Report<'_>) -> Dependency {
    let path: Vec<Step<'_>> = report.path.iter().chain(place).copied().collect();
    let mut report = Report { manifest: report.manifest, path: &path, problems: report.problems };
    if table.image.is_empty() || table.image.contains(char::is_whitespace) {
        report.wrong(Code::InvalidName, &[Step::Key("image")], format!("`{}` is not an image", table.image));
    }
    let container = container::resolve(&table.container, ImageRef::foreign(&table.image), folder, &mut report);
    let tcp = |port: &&Port| port.protocol == Protocol::Tcp;
    if let Some(port) = container.health.as_ref().and_then(Health::port)
        && !container.ports.iter().filter(tcp).any(|other| other.container == port)
    {
        let message = format!("the port `{port}` of the `healthcheck` is not one of the `ports`");
        report.wrong(Code::InvalidValue, &[Step::Key("healthcheck")], message);
    }
    let first = || container.ports.iter().find(tcp).map(|port| Health::of(Probe::Port(port.container)));
    let health = match &table.container.healthcheck {
        None => first(),
        Some(_) => container.health.clone(),
    };
    Dependency { container: Container { health, ..container }, wait: table.wait.map_or(WAIT, u64::from) }
}

/// Under `dev` all dependencies stand in one network, each name once: services that use the same name mean the same by it.
pub fn check(sources: &[ServiceSource<'_>], services: &BTreeMap<String, Service>, problems: &mut Problems) {
    let mut seen: BTreeMap<&str, (&Service, &Dependency)> = BTreeMap::new();
    for service in services.values() {
        for (name, dependency) in &service.dev.dependencies {
            let message = match seen.insert(name, (service, dependency)) {
                _ if services.contains_key(name) => format!("the dependency `{name}` has the same name as a service"),
                Some((other, same)) if same != dependency => {
                    format!("the services `{}` and `{}` define the dependency `{name}` differently", other.name, service.name)
                }
                _ => continue,
            };
            let Some(source) = manifests::of(sources, service.name.as_str()) else { continue };
            let key = if source.table.dev.is_some() { "dev" } else { "test" };
            let steps = [Step::Key(key), Step::Key("dependencies"), Step::Key(name)];
            source.report(problems).wrong(Code::DuplicateService, &steps, message);
        }
    }
}
