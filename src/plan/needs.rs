//! Resolves the `test` and `dev` tables of services.

use std::collections::BTreeMap;
use std::path::Path;

use super::container;
use super::manifests::{self, ServiceSource};
use super::report::Report;
use crate::app::{Container, Dependency, Health, ImageRef, Name, Needs, Port, Probe, Protocol, Service};
use crate::config::tables::{
    ContainerTable, DependencyTable, ImageServiceTable, ImageTable, NeedsTable, OneOrMany, ServiceTable,
};
use crate::config::{Problems, Step, schema};
use crate::diagnostic::Code;

/// Default number of seconds to wait for a dependency.
const WAIT: u64 = 60;

/// The services of the app whose images others made.
pub struct OfImages<'a> {
    /// Their tables, by name.
    pub tables: &'a BTreeMap<String, ImageServiceTable>,
    /// The folder of the root manifest.
    pub folder: &'a Path,
}

/// The needs for `test` and for `dev`, in this order. Without a `dev` table, `dev` uses those of `test`.
pub fn resolve(table: &ServiceTable, folder: &Path, images: &OfImages<'_>, report: &mut Report<'_>) -> (Option<Needs>, Needs) {
    let test = table.test.as_ref().map(|table| needs("test", table, folder, images, report));
    let dev = table.dev.as_ref().map(|table| needs("dev", table, folder, images, report));
    let dev = dev.or_else(|| test.clone()).unwrap_or_default();
    (test, dev)
}

fn needs(key: &'static str, table: &NeedsTable, folder: &Path, images: &OfImages<'_>, report: &mut Report<'_>) -> Needs {
    let mut dependencies = BTreeMap::new();
    for (name, table) in &table.dependencies {
        let place = [Step::Key(key), Step::Key("dependencies"), Step::Key(name)];
        report.take(Code::InvalidName, &place, Name::new(name));
        let dependency = match &table.image {
            Some(image) => Some(dependency(&place, image, table, folder, report)),
            None => match images.service(name, table) {
                Ok((image, table)) => Some(Dependency { of_app: true, ..dependency(&place, &image, &table, folder, report) }),
                Err(why) => {
                    report.wrong(Code::MissingKey, &place, why);
                    None
                }
            },
        };
        dependencies.extend(dependency.map(|dependency| (name.clone(), dependency)));
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

impl OfImages<'_> {
    /// The image of a service, and its table under what a dependency's sets. In the host's network, ports cannot be mapped to free ones.
    fn service(&self, name: &str, over: &DependencyTable) -> Result<(String, DependencyTable), String> {
        let known: Vec<&str> = self.tables.keys().map(String::as_str).collect();
        let Some(table) = self.tables.get(name) else {
            let near = schema::did_you_mean(name, &known);
            return Err(format!(
                "the dependency `{name}` has no `image`, and the app has no service `{name}` whose image others made{near}"
            ));
        };
        let Some(ImageTable::Named(image)) = &table.image else {
            return Err(format!("the image of the service `{name}` is in a file: set the `image` of the dependency"));
        };
        let absolute = |file: String| self.folder.join(file).display().to_string();
        let files = table.container.env_file.clone();
        let below = ContainerTable {
            env_file: files.map(|files| OneOrMany::Many(files.into_vec().into_iter().map(absolute).collect())),
            network_mode: None,
            replicas: None,
            ..table.container.clone()
        };
        let container = over.container.clone().or(below);
        Ok((image.clone(), DependencyTable { image: None, container, wait: over.wait }))
    }
}

fn dependency(place: &[Step<'_>; 3], image: &str, table: &DependencyTable, folder: &Path, report: &mut Report<'_>) -> Dependency {
    let path: Vec<Step<'_>> = report.path.iter().chain(place).copied().collect();
    let mut report = Report { manifest: report.manifest, path: &path, problems: report.problems };
    if image.is_empty() || image.contains(char::is_whitespace) {
        report.wrong(Code::InvalidName, &[Step::Key("image")], format!("`{image}` is not an image"));
    }
    let container = container::resolve(&table.container, ImageRef::foreign(image), folder, &mut report);
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
    Dependency { container: Container { health, ..container }, wait: table.wait.map_or(WAIT, u64::from), of_app: false }
}

/// Under `dev` all dependencies stand in one network, each name once: services that use the same name mean the same by it.
pub fn check(sources: &[ServiceSource<'_>], services: &BTreeMap<String, Service>, problems: &mut Problems) {
    let mut seen: BTreeMap<&str, (&Service, &Dependency)> = BTreeMap::new();
    for service in services.values() {
        for (name, dependency) in service.dev.beside() {
            let message = match seen.insert(name, (service, dependency)) {
                _ if services.contains_key(name) => format!(
                    "the dependency `{name}` has the same name as a service{}",
                    if services[name].upstream().is_some() { "; without `image`, it is that service" } else { "" }
                ),
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
