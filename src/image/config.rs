//! An image's config: the same that `docker build` makes of the generated Dockerfile.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use anyhow::Result;

use crate::app::{Base, Binary, Image, LayerOf, Service};
use crate::digest::Digest;
use crate::oci::{History, ImageConfig, Nothing, RootFs, RunConfig};
use crate::plan::{Layout, Plan, PlannedImage};
use crate::segment::Segment;

/// What engines set where an image says nothing.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A layer above the base's.
pub struct Own<'a> {
    /// The layer.
    pub segment: &'a Segment,
    /// The executable that it holds; none if it holds files.
    pub executable: Option<&'a Binary>,
    /// Whose it is, by their places in the plan.
    pub services: Vec<usize>,
}

pub fn image(plan: &Plan, image: &PlannedImage<'_>, base: &Base, own: &[Own<'_>]) -> Result<Image> {
    let created = humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + Duration::from_secs(plan.epoch)).to_string();
    let mut history = base.history.clone();
    for Own { executable, services, .. } in own {
        let what = match executable {
            Some(binary) => {
                let bin = plan
                    .packages()
                    .find(|(service, _)| service.name.as_str() == binary.service)
                    .map_or("", |(_, package)| package.bin.as_str());
                format!("executable {bin} {}", binary.digest)
            }
            None => "files".to_owned(),
        };
        let services = match plan.layout {
            Layout::ImagePerService => Vec::new(),
            Layout::MultiBinary => services.iter().map(|at| plan.services[*at].name.to_string()).collect(),
        };
        history.push(History {
            created: Some(created.clone()),
            created_by: Some(LayerOf { what, services }.to_string()),
            ..History::default()
        });
    }
    let layers: Vec<Segment> = base.layers.iter().chain(own.iter().map(|own| own.segment)).cloned().collect();
    let platform = plan.target.platform.clone();
    let of_image: Vec<&Service> = image.services.iter().map(|at| &plan.services[*at]).collect();
    let config = match (plan.layout, &of_image[..]) {
        (Layout::ImagePerService, [service]) => run_config(plan, service, base),
        _ => shared_config(plan, &of_image, base),
    };
    let config = ImageConfig {
        created: Some(created),
        architecture: platform.architecture.clone(),
        variant: platform.variant.clone(),
        os: platform.os.clone(),
        config,
        rootfs: RootFs { diff_ids: layers.iter().map(|layer| layer.diff_id).collect(), ..RootFs::default() },
        history,
    };
    let config_bytes = serde_json::to_vec(&config)?;
    let id = Digest::of(&config_bytes);
    let reference = image.reference.clone();
    Ok(Image { service: image.name.to_owned(), reference, platform, config, config_bytes, id, layers })
}

/// What an image of all services says of how it runs: nothing that only one of them wants.
fn shared_config(plan: &Plan, services: &[&Service], base: &Base) -> RunConfig {
    let mut labels = base.config.labels.clone();
    labels.insert("org.opencontainers.image.title".into(), plan.name.to_string());
    labels.insert("org.opencontainers.image.version".into(), plan.version.written.clone());
    let ports = services.iter().flat_map(|service| &service.container.ports).map(|port| (port.exposed(), Nothing {}));
    let env = environment(base, &BTreeMap::new());
    RunConfig {
        user: services
            .first()
            .and_then(|first| first.container.user.clone())
            .filter(|user| services.iter().all(|other| other.container.user.as_ref() == Some(user))),
        exposed_ports: ports.chain(base.config.exposed_ports.clone()).collect(),
        env,
        volumes: base.config.volumes.clone(),
        working_dir: Some("/".into()),
        labels,
        stop_signal: base.config.stop_signal.clone(),
        ..RunConfig::default()
    }
}

/// `NAME=VALUE` of the base and over it.
fn environment(base: &Base, own: &BTreeMap<String, String>) -> Vec<String> {
    let mut env: BTreeMap<String, String> = BTreeMap::new();
    let of_base = base.config.env.iter().map(String::as_str);
    for (name, value) in [PATH].into_iter().chain(of_base).filter_map(|line| line.split_once('=')) {
        env.insert(name.to_owned(), value.to_owned());
    }
    env.extend(own.clone());
    env.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
}

fn run_config(plan: &Plan, service: &Service, base: &Base) -> RunConfig {
    let mut labels = base.config.labels.clone();
    labels.insert("org.opencontainers.image.title".into(), service.name.to_string());
    labels.insert("org.opencontainers.image.version".into(), plan.version.written.clone());
    labels.extend(service.container.labels.clone());
    RunConfig {
        user: service.container.user.clone(),
        exposed_ports: service
            .container
            .ports
            .iter()
            .map(|port| (port.exposed(), Nothing {}))
            .chain(base.config.exposed_ports.clone())
            .collect(),
        env: environment(base, &service.container.environment),
        entrypoint: service.entrypoint(),
        cmd: service.container.args.clone(),
        volumes: base.config.volumes.clone(),
        working_dir: service.container.workdir.clone(),
        labels,
        stop_signal: base.config.stop_signal.clone(),
    }
}
