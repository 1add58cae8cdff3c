//! Turns the tables of stacks into a tree of stacks.

mod build;
mod check;
mod given;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::manifests::AppSource;
use super::order;
use super::report::Report;
use crate::app::{AppFile, Certificate, Gateway, Https, Name, Service, Source, Stack, Swarm};
use crate::config::tables::{GatewayTable, RoutingName, StackTable};
use crate::config::{Problems, Step, schema};
use crate::diagnostic::Code;
pub use given::Given;
use given::{plain_path, steps};

/// Default prefix of the variables' names.
const VARIABLES: &str = "AILTIRE";

/// Default image of a gateway.
const NGINX: &str = "nginx:stable";

/// The path at which controllers read their stacks.
const PLACE: &str = "/etc/appbundle/stacks";

/// Adds the files of the stack that a service controls to its image, from the path to which `generate` writes them.
pub fn give(service: &mut Service, output: &Path) {
    if let (Some(stack), Source::Package(package)) = (&service.controls, &mut service.source) {
        let (from, to) = (output.join("stacks").join(format!("{stack}.json")), format!("{PLACE}/{stack}.json"));
        package.files.push(AppFile::file(to, from, false));
        package.files.sort();
    }
}

/// The services that are built from Dockerfiles, each with its stack.
pub fn built_names(app: &AppSource) -> BTreeMap<String, String> {
    let of = |(stack, table): (&String, &StackTable)| -> Vec<(String, String)> {
        table.build.keys().map(|service| (service.clone(), stack.clone())).collect()
    };
    app.table.stacks.iter().flat_map(of).collect()
}

/// Resolves all stacks. Each stack comes after its inner stacks, so the outermost stack is the last one.
pub fn resolve(given: Given<'_>, sorted: &[String], problems: &mut Problems) -> (Vec<Stack>, Swarm) {
    let swarm = swarm(given, problems);
    let mut tables = given.app.table.stacks.clone();
    tables.entry(given.name.to_string()).or_default();
    let mut report = given.app.report(problems);
    let owners = owners(given, &tables, &mut report);
    let parents = parents(given, &tables, &mut report);
    let top = given.name.as_str();
    let mut edges: BTreeMap<String, Vec<String>> = tables.iter().map(|(name, t)| (name.clone(), t.stacks.clone())).collect();
    let homeless: Vec<String> = tables.keys().filter(|name| *name != top && !parents.contains_key(*name)).cloned().collect();
    edges.entry(top.to_owned()).or_default().extend(homeless);
    let mut is_tree = true;
    let ordered = order::sort(&edges).unwrap_or_else(|cycle| {
        let place = [Step::Key("stacks"), Step::Key(&cycle[0]), Step::Key("stacks")];
        report.wrong(Code::DependencyCycle, &place, format!("the stacks contain each other in a cycle: {}", cycle.join(" -> ")));
        is_tree = false;
        tables.keys().cloned().collect()
    });
    let mut stacks = Vec::new();
    for name in ordered.iter().filter(|name| tables.contains_key(*name)) {
        let table = &tables[name];
        let place = [Step::Key("stacks"), Step::Key(name)];
        let Some(own) = report.take(Code::InvalidName, &place, Name::new(name)) else { continue };
        let services = sorted.iter().filter(|service| {
            // What brings the outermost stack up is in none.
            if given.services.get(*service).is_some_and(|service| service.controls.as_deref() == Some(top)) {
                return false;
            }
            let owner = owners.get(*service).map_or(top, String::as_str);
            owner == name || table.copies.contains(service)
        });
        stacks.push(Stack {
            name: own,
            services: services.cloned().collect(),
            built: built(given, name, table, report.problems),
            stacks: edges.get(name).cloned().unwrap_or_default(),
            apps: apps(given, name, table, report.problems),
            gateway: table.gateway.as_ref().and_then(|gateway| self::gateway(gateway, name, name == top, &mut report)),
            repo: repo(given, &tables, &parents, name),
            image: table.stack_image,
        });
    }
    if !is_tree {
        return (stacks, swarm);
    }
    check::names(given, &stacks, &mut report);
    check::controllers(given, &stacks, report.problems);
    if !given.app.table.stacks.is_empty() {
        check::ports(given, &stacks, &mut report);
    }
    check::routes(given, &stacks, &mut report);
    check::dependencies(given, &stacks, report.problems);
    (stacks, swarm)
}

fn swarm(given: Given<'_>, problems: &mut Problems) -> Swarm {
    let table = &given.app.table.swarm;
    let variables = table.variables.clone().unwrap_or_else(|| VARIABLES.to_owned());
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let fits = variables.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && variables.chars().all(plain);
    if !fits || variables.ends_with('_') {
        let mut report = given.app.report(problems);
        let message = format!("`{variables}` is not a valid prefix for variables: use letters, digits and `_`, as in `MY_APP`");
        report.wrong(Code::InvalidName, &[Step::Key("swarm"), Step::Key("variables")], message);
    }
    let stop_signal = table.stop_signal.clone().unwrap_or_else(|| "SIGTERM".to_owned());
    let named =
        |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || "+-".contains(c));
    if !stop_signal.strip_prefix("SIG").is_some_and(named) {
        let mut report = given.app.report(problems);
        let message = format!("`{stop_signal}` is not a signal: write `SIGTERM` or `SIGINT`");
        report.wrong(Code::InvalidValue, &[Step::Key("swarm"), Step::Key("stop-signal")], message);
    }
    Swarm { variables, mesh: table.routing.unwrap_or_default() == RoutingName::Mesh, stop_signal }
}

/// The stack of each service that a stack names.
fn owners(given: Given<'_>, tables: &BTreeMap<String, StackTable>, report: &mut Report<'_>) -> BTreeMap<String, String> {
    let known: Vec<&str> = given.services.keys().map(String::as_str).collect();
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    for (stack, table) in tables {
        for (key, list) in [("services", &table.services), ("copies", &table.copies)] {
            for (at, service) in list.iter().enumerate() {
                let place = [Step::Key("stacks"), Step::Key(stack), Step::Key(key), Step::Index(at)];
                if table.build.contains_key(service) && key == "services" {
                    continue;
                }
                if !known.contains(&service.as_str()) {
                    let near = schema::did_you_mean(service, &known);
                    report.wrong(Code::UnknownService, &place, format!("there is no service `{service}`{}", near));
                } else if key == "services"
                    && let Some(other) = owners.insert(service.clone(), stack.clone())
                {
                    let message = if other == *stack {
                        format!("the service `{service}` is listed twice")
                    } else {
                        format!(
                            "the service `{service}` is already in the stack `{other}`; to run a copy of it here, name it in `copies`"
                        )
                    };
                    report.wrong(Code::InvalidStack, &place, message);
                }
            }
        }
    }
    owners
}

/// The parent of each stack that another stack names.
fn parents(given: Given<'_>, tables: &BTreeMap<String, StackTable>, report: &mut Report<'_>) -> BTreeMap<String, String> {
    let known: Vec<&str> = tables.keys().map(String::as_str).collect();
    let mut parents: BTreeMap<String, String> = BTreeMap::new();
    for (stack, table) in tables {
        for (at, inner) in table.stacks.iter().enumerate() {
            let place = [Step::Key("stacks"), Step::Key(stack), Step::Key("stacks"), Step::Index(at)];
            if !tables.contains_key(inner) {
                let near = schema::did_you_mean(inner, &known);
                report.wrong(Code::InvalidStack, &place, format!("there is no stack `{inner}`{}", near));
            } else if inner == given.name.as_str() {
                report.wrong(
                    Code::InvalidStack,
                    &place,
                    format!("`{inner}` is the app's own stack, which cannot be inside another one"),
                );
            } else if let Some(other) = parents.insert(inner.clone(), stack.clone()) {
                report.wrong(Code::InvalidStack, &place, format!("the stack `{inner}` is already in the stack `{other}`"));
            }
        }
    }
    parents
}

fn built(given: Given<'_>, stack: &str, table: &StackTable, problems: &mut Problems) -> Vec<Service> {
    let mut built: BTreeMap<String, Service> = BTreeMap::new();
    for (name, inner) in &table.build {
        let path: Vec<Step<'_>> = given.app.path.iter().copied().chain(steps(stack, "build", name)).collect();
        let mut report = Report { manifest: &given.app.manifest, path: &path, problems };
        built.extend(build::resolve(given, name, inner, &table.env, &mut report).map(|built| (name.clone(), built)));
    }
    let edges = built.iter().map(|(name, built)| (name.clone(), built.depends_on.clone())).collect();
    let order = order::sort(&edges).unwrap_or_else(|cycle| {
        let path: Vec<Step<'_>> = given.app.path.iter().copied().chain(steps(stack, "build", &cycle[0])).collect();
        let message = format!("the services depend on each other in a cycle: {}", cycle.join(" -> "));
        Report { manifest: &given.app.manifest, path: &path, problems }.wrong(
            Code::DependencyCycle,
            &[Step::Key("depends-on")],
            message,
        );
        Vec::new()
    });
    order.into_iter().filter_map(|name| built.remove(&name)).collect()
}

fn apps(given: Given<'_>, stack: &str, table: &StackTable, problems: &mut Problems) -> BTreeMap<String, std::path::PathBuf> {
    let mut report = given.app.report(problems);
    let mut apps = BTreeMap::new();
    for (name, other) in &table.apps {
        let place = steps(stack, "apps", name);
        if report.take(Code::InvalidName, &place, Name::new(name)).is_none() {
            continue;
        }
        let folder = given.workspace.root.join(&other.path);
        match folder.canonicalize() {
            Ok(folder) if folder.join("Cargo.toml").is_file() => drop(apps.insert(name.clone(), folder)),
            Ok(_) => report.wrong(Code::FileNotFound, &place, format!("`{}` has no `Cargo.toml`", other.path)),
            Err(_) => report.wrong(Code::FileNotFound, &place, format!("`{}` does not exist", other.path)),
        }
    }
    apps
}

fn gateway(table: &GatewayTable, stack: &str, outermost: bool, report: &mut Report<'_>) -> Option<Gateway> {
    let place = |key: &'static str| [Step::Key("stacks"), Step::Key(stack), Step::Key("gateway"), Step::Key(key)];
    let certificate = match (&table.certificate, &table.key, table.self_signed) {
        (Some(certificate), Some(key), false) => {
            Some(Certificate::Secrets { certificate: certificate.clone(), key: key.clone() })
        }
        (None, None, true) => Some(Certificate::SelfSigned),
        (None, None, false) if table.https.is_none() => None,
        _ => {
            let message = "HTTPS needs `certificate` and `key`, the names of two swarm secrets, or `self-signed = true`";
            report.wrong(Code::MissingKey, &place("https"), message);
            None
        }
    };
    let https = certificate.map(|certificate| Https { port: table.https.unwrap_or(443), certificate });
    for (from, to) in &table.rewrite {
        if !from.starts_with('/') || !to.starts_with('/') || [from, to].iter().any(|path| !plain_path(path)) {
            report.wrong(
                Code::InvalidValue,
                &place("rewrite"),
                format!("cannot rewrite `{from}` to `{to}`: paths must begin with `/` and contain no spaces"),
            );
        }
    }
    let http = table.http.or(outermost.then_some(80));
    let image = table.image.clone().unwrap_or_else(|| NGINX.to_owned());
    Some(Gateway { image, http, https, rewrite: table.rewrite.clone() })
}

/// The value from the command line, or else from the stack's table or that of a stack around it.
fn repo(
    given: Given<'_>,
    tables: &BTreeMap<String, StackTable>,
    parents: &BTreeMap<String, String>,
    name: &str,
) -> Option<String> {
    let mut seen = BTreeSet::new();
    let mut at = name;
    let mut found = given.request.repo.clone();
    while found.is_none() && seen.insert(at) {
        found = tables.get(at).and_then(|table| table.repo.clone());
        at = parents.get(at).map_or(given.name.as_str(), String::as_str);
    }
    found.map(|repo| repo.trim_end_matches('/').to_owned())
}
