//! The images of a plan: the services whose executables each one contains, and its run configuration.

use std::collections::BTreeMap;

use super::{Layout, Plan};
use crate::app::{BaseChoice, Health, ImageRef, Package, Service};
use crate::oci::{Healthcheck, Nothing, RunConfig};

/// An image to build.
#[derive(Clone, Debug)]
pub struct PlannedImage<'a> {
    /// The service's name, or the app's name if the image contains all services.
    pub name: &'a str,
    /// `NAME:TAG`.
    pub reference: &'a ImageRef,
    /// The services whose executables it contains, or the one that it is for; at least one.
    pub services: Vec<&'a Service>,
    /// The base.
    pub base: &'a BaseChoice,
    /// Its run configuration, without the base's: see [`RunConfig::over`].
    pub config: RunConfig,
    /// Whether others made it: then it is the base itself.
    pub is_upstream: bool,
}

impl Plan {
    /// The images to pack: one per service, or one for all packages; those that others made last.
    pub fn images(&self) -> Vec<PlannedImage<'_>> {
        let upstream = self.services.iter().filter_map(|service| {
            Some(PlannedImage {
                name: service.name.as_str(),
                reference: &service.container.image,
                services: vec![service],
                base: service.upstream()?,
                config: RunConfig::default(),
                is_upstream: true,
            })
        });
        self.own_images().into_iter().chain(upstream).collect()
    }

    /// Those of them that are built here.
    pub fn own_images(&self) -> Vec<PlannedImage<'_>> {
        match self.layout {
            Layout::ImagePerService => self
                .packages()
                .map(|(service, package)| PlannedImage {
                    name: service.name.as_str(),
                    reference: &service.container.image,
                    services: vec![service],
                    base: &package.base,
                    config: self.of_service(service, package),
                    is_upstream: false,
                })
                .collect(),
            Layout::MultiBinary => {
                let shared = self.packages().next().map(|(first, package)| PlannedImage {
                    name: self.name.as_str(),
                    reference: &first.container.image,
                    services: self.packages().map(|(service, _)| service).collect(),
                    base: &package.base,
                    config: of_all(self),
                    is_upstream: false,
                });
                shared.into_iter().collect()
            }
        }
    }
}

impl Plan {
    fn of_service(&self, service: &Service, package: &Package) -> RunConfig {
        let container = &service.container;
        let mut labels = self.labels(service.name.as_str(), &[package]);
        labels.extend(container.labels.clone());
        RunConfig {
            user: container.user.clone(),
            exposed_ports: container.ports.iter().map(|port| (port.exposed(), Nothing {})).collect(),
            env: container.environment.iter().map(|(name, value)| format!("{name}={value}")).collect(),
            entrypoint: service.entrypoint(),
            cmd: container.args.clone(),
            healthcheck: container.health.as_ref().and_then(check),
            working_dir: container.workdir.clone(),
            labels,
            ..RunConfig::default()
        }
    }

    /// The OCI annotations (image-spec, annotations.md) of an image with executables of these packages.
    fn labels(&self, title: &str, packages: &[&Package]) -> BTreeMap<String, String> {
        let all = |of: fn(&Package) -> Option<&String>| {
            let mut all: Vec<&str> = packages.iter().filter_map(|package| of(package)).map(String::as_str).collect();
            all.sort_unstable();
            all.dedup();
            all
        };
        let licenses = match &all(|package| package.about.license.as_ref())[..] {
            [] => None,
            [only] => Some((*only).to_owned()),
            several => Some(several.iter().map(|license| format!("({license})")).collect::<Vec<_>>().join(" AND ")),
        };
        let source = match all(|package| package.about.repository.as_ref())[..] {
            [only] => Some(only.to_owned()),
            _ => None,
        };
        let labels = [
            ("title", Some(title.to_owned())),
            ("version", Some(self.version.written.clone())),
            ("licenses", licenses),
            ("source", source),
            ("revision", self.revision.clone()),
        ];
        labels.into_iter().filter_map(|(name, value)| Some((format!("org.opencontainers.image.{name}"), value?))).collect()
    }
}

/// A health check as an engine runs it; `None` if the image has no program for it.
fn check(health: &Health) -> Option<Healthcheck> {
    let nanoseconds = |time: &Option<String>| {
        let time = time.as_deref().and_then(|time| humantime::parse_duration(time).ok()).unwrap_or_default();
        i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
    };
    Some(Healthcheck {
        test: std::iter::once("CMD".to_owned()).chain(health.inside()?).collect(),
        interval: nanoseconds(&health.interval),
        timeout: nanoseconds(&health.timeout),
        start_period: nanoseconds(&health.start_period),
        retries: health.retries.unwrap_or_default().into(),
    })
}

/// An image of all services has no settings that only some of them want.
fn of_all(plan: &Plan) -> RunConfig {
    let mut users = plan.packages().map(|(service, _)| service.container.user.as_ref());
    let first = users.next().flatten();
    RunConfig {
        user: first.filter(|_| users.all(|user| user == first)).cloned(),
        exposed_ports: plan
            .packages()
            .flat_map(|(service, _)| &service.container.ports)
            .map(|port| (port.exposed(), Nothing {}))
            .collect(),
        working_dir: Some("/".into()),
        labels: plan.labels(plan.name.as_str(), &plan.packages().map(|(_, package)| package).collect::<Vec<_>>()),
        ..RunConfig::default()
    }
}
