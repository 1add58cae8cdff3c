//! Checks across stacks.

use std::collections::BTreeMap;

use super::given::{Given, plain_path, steps};
use crate::app::{Certificate, Destination, Protocol, Service, Stack};
use crate::config::{Problems, Step, schema};
use crate::diagnostic::Code;
use crate::plan::report::Report;
use crate::plan::{checks, manifests};

/// Maximum length of a service's name in Docker, including its stack's name.
const LONGEST: usize = 63;

fn services(given: Given<'_>) -> Vec<Service> {
    given.services.values().cloned().collect()
}

/// Checks for names that Docker Swarm rejects, and for duplicate names in a stack.
pub fn names(given: Given<'_>, stacks: &[Stack], report: &mut Report<'_>) {
    let known = services(given);
    for stack in stacks {
        let place = [Step::Key("stacks"), Step::Key(stack.name.as_str())];
        let mut taken: Vec<&str> = stack.gateway.iter().map(|_| "gateway").collect();
        let members = stack.members(&known);
        let inner = stack.stacks.iter().chain(stack.apps.keys()).map(String::as_str);
        for name in members.iter().map(|service| service.name.as_str()).chain(inner) {
            if taken.contains(&name) {
                let what = if name == "gateway" { "is the name of the stack's gateway" } else { "occurs twice" };
                report.wrong(
                    Code::InvalidStack,
                    &place,
                    format!("in the stack `{}`, `{name}` {what}: choose another name", stack.name),
                );
            }
            taken.push(name);
        }
        // An app without stacks of its own need not fit into a swarm, unless it goes to one.
        if given.app.table.stacks.is_empty() && !given.request.destinations.contains(&Destination::Stacks) {
            continue;
        }
        let full = full_name(stack.name.as_str(), stacks);
        // A gateway's configuration has the sum of its text in its name.
        let configuration = stack.gateway.iter().map(|_| "gw_01234567");
        let certificate = self_signed(stack).then_some("certificate");
        for name in members.iter().map(|service| service.name.as_str()).chain(configuration).chain(certificate) {
            let long = format!("{full}_{name}");
            if long.len() > LONGEST {
                let message =
                    format!("Docker Swarm allows names of at most {LONGEST} characters, but `{long}` has {}", long.len());
                report.wrong(Code::InvalidName, &place, message);
            }
        }
    }
}

/// The names of the stack and of all stacks around it.
fn full_name(name: &str, stacks: &[Stack]) -> String {
    match stacks.iter().find(|stack| stack.stacks.iter().any(|inner| inner == name)) {
        Some(parent) => format!("{}-{name}", full_name(parent.name.as_str(), stacks)),
        None => name.to_owned(),
    }
}

fn self_signed(stack: &Stack) -> bool {
    let https = stack.gateway.as_ref().and_then(|gateway| gateway.https.as_ref());
    https.is_some_and(|https| https.certificate == Certificate::SelfSigned)
}

/// A stack that is an image has a service that controls it, in the stack around it, and nothing controls what is none.
pub fn controllers(given: Given<'_>, stacks: &[Stack], problems: &mut Problems) {
    for source in given.sources {
        let Some(name) = &source.table.controls else { continue };
        let known: Vec<&str> = stacks.iter().map(|stack| stack.name.as_str()).collect();
        let own = source.name();
        let around = stacks.iter().find(|stack| stack.stacks.iter().any(|inner| inner == name));
        let message = match stacks.iter().find(|stack| stack.name.as_str() == name) {
            Some(stack) if stack.image => match around {
                Some(around) if !around.services.iter().any(|service| service == own) => {
                    format!(
                        "the stack `{name}` is in the stack `{0}`: add its controller `{own}` to the `services` of `{0}`",
                        around.name
                    )
                }
                _ => continue,
            },
            Some(_) => format!("the stack `{name}` is not an image: set `stack-image = true` in its table"),
            None => {
                let near = schema::did_you_mean(name, &known);
                format!("there is no stack `{name}`{near}")
            }
        };
        source.report(problems).wrong(Code::InvalidStack, &[Step::Key("controls")], message);
    }
    for stack in stacks.iter().filter(|stack| stack.image) {
        let name = stack.name.as_str();
        if given.sources.iter().any(|source| source.table.controls.as_deref() == Some(name)) {
            continue;
        }
        let path: Vec<Step<'_>> =
            given.app.path.iter().copied().chain([Step::Key("stacks"), Step::Key(name), Step::Key("stack-image")]).collect();
        let problem = given.app.manifest.problem(Code::StackController, &path, format!("no service controls the stack `{name}`"));
        problems.push(problem.help(format!("run `cargo appbundle new-service {name}-stack --template stack`")));
    }
}

/// Checks that no port is published twice: a published port belongs to the whole swarm.
pub fn ports(given: Given<'_>, stacks: &[Stack], report: &mut Report<'_>) {
    let known = services(given);
    let mut taken: BTreeMap<(u16, bool), String> = BTreeMap::new();
    let own = |who: &str| given.services.keys().any(|name| who.starts_with(&format!("the service `{name}` ")));
    for stack in stacks {
        let gateway = stack.gateway.iter().flat_map(|gateway| [gateway.http, gateway.https.as_ref().map(|https| https.port)]);
        let mut published: Vec<((u16, bool), String)> =
            gateway.flatten().map(|port| ((port, false), format!("the gateway of `{}`", stack.name))).collect();
        for service in
            stack.members(&known).into_iter().filter(|service| service.container.network_mode.as_deref() != Some("host"))
        {
            let ports =
                service.container.ports.iter().filter_map(|port| Some((port.host_number()?, port.protocol == Protocol::Udp)));
            published.extend(ports.map(|port| (port, format!("the service `{}` of `{}`", service.name, stack.name))));
        }
        for (port, who) in published {
            let other = taken.insert(port, who.clone());
            // Two services of the workspace are refused already, where they say so.
            if let Some(other) = other.filter(|other| *other == who || !own(&who) || !own(other)) {
                let place = [Step::Key("stacks"), Step::Key(stack.name.as_str())];
                report.wrong(Code::PortConflict, &place, format!("the port {} is published by {other} and by {who}", port.0));
            }
        }
    }
}

/// Checks that each path of a gateway leads to one service.
pub fn routes(given: Given<'_>, stacks: &[Stack], report: &mut Report<'_>) {
    let known = services(given);
    for stack in stacks.iter().filter(|stack| stack.gateway.is_some()) {
        let mut taken: BTreeMap<String, String> = BTreeMap::new();
        // With the stack that has to have a gateway, so that this one reaches what is in it.
        let mut open: Vec<(&Stack, Option<&Stack>)> = vec![(stack, None)];
        while let Some((inner, closed)) = open.pop() {
            let closed = closed.or_else(|| Some(inner).filter(|inner| inner.gateway.is_none()));
            let deeper = stacks.iter().filter(|other| inner.stacks.iter().any(|name| name == other.name.as_str()));
            open.extend(deeper.map(|other| (other, closed)));
            for service in inner.members(&known) {
                for (path, _) in service.proxied() {
                    let place = [Step::Key("stacks"), Step::Key(stack.name.as_str()), Step::Key("gateway")];
                    if let Some(closed) = closed.filter(|closed| closed.name != inner.name) {
                        let message = format!(
                            "the gateway of `{}` does not reach the route `{path}` of `{}` in the stack `{}`: add a gateway to `{}`",
                            stack.name, service.name, inner.name, closed.name
                        );
                        report.wrong(Code::InvalidStack, &place, message);
                    }
                    if !plain_path(path) {
                        report.wrong(
                            Code::InvalidStack,
                            &place,
                            format!("the route `{path}` of `{}` cannot be forwarded by a gateway", service.name),
                        );
                    }
                    let other = taken.insert(path.trim_end_matches('/').to_owned(), service.name.to_string());
                    if let Some(other) = other.filter(|other| {
                        let both = given.services.contains_key(other) && given.services.contains_key(service.name.as_str());
                        other != service.name.as_str() && !both
                    }) {
                        let message = format!(
                            "the route `{path}` belongs to several services: {}",
                            checks::quoted(&[&other, service.name.as_str()])
                        );
                        report.wrong(Code::RouteConflict, &place, message);
                    }
                }
            }
        }
    }
}

/// Whether a stack's services find those of another one, which then run before: it is in that stack, without a gateway that hides
/// them, and without a controller, which brings it up at its own time.
fn sees(stack: &Stack, other: &Stack) -> bool {
    stack.stacks.iter().any(|name| name == other.name.as_str()) && other.gateway.is_none() && !other.image
}

/// A service starts after others of its own stack, and of the stacks in it that it sees.
pub fn dependencies(given: Given<'_>, stacks: &[Stack], problems: &mut Problems) {
    let known = services(given);
    let has = |stack: &Stack, name: &str| stack.members(&known).iter().any(|service| service.name.as_str() == name);
    for stack in stacks {
        for service in stack.members(&known) {
            for (at, name) in service.depends_on.iter().enumerate().filter(|(_, name)| !has(stack, name)) {
                let others: Vec<&Stack> = stacks.iter().filter(|other| has(other, name)).collect();
                if others.iter().any(|other| sees(stack, other)) {
                    continue;
                }
                let Some(other) = others.first() else { continue };
                let why = if other.image {
                    "that stack is deployed by its controller: depend on the controller"
                } else {
                    "it can depend only on services of its own stack, and of stacks inside it without a gateway"
                };
                let message = format!(
                    "`{}` of the stack `{}` depends on `{name}`, which is in the stack `{}`: {why}",
                    service.name, stack.name, other.name
                );
                match manifests::of(given.sources, service.name.as_str()) {
                    Some(source) => {
                        source.report(problems).wrong(Code::InvalidStack, &[Step::Key("depends-on"), Step::Index(at)], message)
                    }
                    None => {
                        let steps = steps(stack.name.as_str(), "build", service.name.as_str());
                        given.app.report(problems).wrong(Code::InvalidStack, &steps, message);
                    }
                }
            }
        }
    }
}
