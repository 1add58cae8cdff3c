//! Conflicts between services of an app: host ports, volumes, routes.

use std::collections::BTreeMap;

use super::manifests::ServiceSource;
use super::report::Report;
use crate::app::{Port, Protocol, Service, VolumeSource};
use crate::config::{Problems, Step};
use crate::diagnostic::Code;

/// Reports every claim that another service has already made, at the second one's location.
pub fn check(sources: &[ServiceSource<'_>], services: &BTreeMap<String, Service>, problems: &mut Problems) {
    let (mut ports, mut routes, mut writers) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    for source in sources {
        let Some(service) = services.get(source.name()) else { continue };
        let mut report = source.report(problems);
        check_ports(service, &mut ports, &mut report);
        check_routes(service, &mut routes, &mut report);
        check_volumes(service, &mut writers, &mut report);
    }
}

/// Address (none for all), number and protocol at the host, and whose they are.
type Claim<'a> = (Option<&'a str>, u16, Protocol, &'a Service);

fn check_ports<'a>(service: &'a Service, claimed: &mut Vec<Claim<'a>>, report: &mut Report<'_>) {
    for (at, port) in service.container.ports.iter().enumerate() {
        let Some((address, number)) = at_host(service, port) else { continue };
        let meets = |one: Option<&str>, other: Option<&str>| one.is_none() || other.is_none() || one == other;
        let other = claimed.iter().find(|(a, n, p, _)| *n == number && *p == port.protocol && meets(*a, address));
        if let Some((.., other)) = other {
            let message = match other.name == service.name {
                true => format!("`{}` uses the host port {number} twice", service.name),
                false => format!("`{}` uses the host port {number}, which `{}` uses too", service.name, other.name),
            };
            report.wrong(Code::PortConflict, &[Step::Key("ports"), Step::Index(at)], message);
        }
        claimed.push((address, number, port.protocol, service));
    }
}

/// Where a port is open at the host; on the host's network it is what the container has.
fn at_host<'a>(service: &Service, port: &'a Port) -> Option<(Option<&'a str>, u16)> {
    match service.container.network_mode.as_deref() {
        Some("host") => Some((None, port.container)),
        Some("none") => None,
        _ => {
            let address = port.host.as_deref()?.rsplit_once(':').map(|(address, _)| address);
            Some((address.filter(|address| *address != "0.0.0.0"), port.host_number()?))
        }
    }
}

fn check_routes<'a>(service: &'a Service, claimed: &mut BTreeMap<&'a str, &'a Service>, report: &mut Report<'_>) {
    for path in service.routes.keys() {
        // A slash at the end leads to the same place.
        let plain = path.trim_end_matches('/');
        if let Some(other) = claimed.insert(plain, service) {
            let message = match other.name == service.name {
                true => format!("`{}` has the route `{path}` twice", service.name),
                false => format!("`{}` has the route `{path}`, which `{}` has too", service.name, other.name),
            };
            report.wrong(Code::RouteConflict, &[Step::Key("routes"), Step::Key(path)], message);
        }
    }
}

/// Two services that write into one volume have to be the same user or of the same group: what one makes, the other could not change.
/// Root can.
fn check_volumes<'a>(service: &'a Service, writers: &mut BTreeMap<&'a str, &'a Service>, report: &mut Report<'_>) {
    for (at, volume) in service.container.volumes.iter().enumerate() {
        let VolumeSource::Named(name) = &volume.source else { continue };
        // The user of an image that others made is not known here.
        let is_unknown = service.upstream().is_some() && service.container.user.is_none();
        if volume.read_only || service.container.privileged || is_root(service) || is_unknown {
            continue;
        }
        let other = *writers.entry(name).or_insert(service);
        let same = |one: Option<&str>, other: Option<&str>| one.is_some() && one == other;
        let ((user, group), (others, of_others)) = (parts(service), parts(other));
        if !same(user, others) && !same(group, of_others) {
            let message = format!(
                "the volume `{name}` is written by `{}` as `{}` and by `{}` as `{}`: they could not change each other's files",
                other.name,
                other.container.user.as_deref().unwrap_or_default(),
                service.name,
                service.container.user.as_deref().unwrap_or_default()
            );
            report.wrong(Code::VolumeOwners, &[Step::Key("volumes"), Step::Index(at)], message);
        }
    }
}

fn parts(service: &Service) -> (Option<&str>, Option<&str>) {
    let user = service.container.user.as_deref();
    user.map_or((None, None), |user| user.split_once(':').map_or((Some(user), None), |(user, group)| (Some(user), Some(group))))
}

fn is_root(service: &Service) -> bool {
    matches!(parts(service).0, Some("0" | "root"))
}
