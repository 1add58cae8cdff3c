//! An image's config: the same that `docker build` makes of the generated Dockerfile.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use anyhow::Result;

use crate::app::{Base, Binary, Image, Service};
use crate::digest::Digest;
use crate::oci::{History, ImageConfig, Nothing, RootFs, RunConfig};
use crate::plan::Plan;
use crate::segment::Segment;

/// What engines set where an image says nothing.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

pub fn image(plan: &Plan, service: &Service, binary: &Binary, base: &Base, own: Vec<Segment>) -> Result<Image> {
    let created = humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + Duration::from_secs(plan.epoch)).to_string();
    let mut history = base.history.clone();
    for at in 1..=own.len() {
        let what = if at == own.len() { format!("executable {} {}", service.bin, binary.digest) } else { "files".to_owned() };
        history.push(History {
            created: Some(created.clone()),
            created_by: Some(format!("cargo-appbundle {}: {what}", env!("CARGO_PKG_VERSION"))),
            ..History::default()
        });
    }
    let layers: Vec<Segment> = base.layers.iter().cloned().chain(own).collect();
    let platform = plan.target.platform.clone();
    let config = ImageConfig {
        created: Some(created),
        architecture: platform.architecture.clone(),
        variant: platform.variant.clone(),
        os: platform.os.clone(),
        config: run_config(plan, service, base),
        rootfs: RootFs { diff_ids: layers.iter().map(|layer| layer.diff_id).collect(), ..RootFs::default() },
        history,
    };
    let config_bytes = serde_json::to_vec(&config)?;
    let id = Digest::of(&config_bytes);
    let reference = service.image.clone();
    Ok(Image { service: service.name.to_string(), reference, platform, config, config_bytes, id, layers })
}

fn run_config(plan: &Plan, service: &Service, base: &Base) -> RunConfig {
    let mut env: BTreeMap<String, String> = BTreeMap::new();
    let of_base = base.config.env.iter().map(String::as_str);
    for (name, value) in [PATH].into_iter().chain(of_base).filter_map(|line| line.split_once('=')) {
        env.insert(name.to_owned(), value.to_owned());
    }
    env.extend(service.environment.clone());
    let mut labels = base.config.labels.clone();
    labels.insert("org.opencontainers.image.title".into(), service.name.to_string());
    labels.insert("org.opencontainers.image.version".into(), plan.version.written.clone());
    labels.extend(service.labels.clone());
    RunConfig {
        user: Some(service.user.clone()),
        exposed_ports: service
            .ports
            .iter()
            .map(|port| (port.exposed(), Nothing {}))
            .chain(base.config.exposed_ports.clone())
            .collect(),
        env: env.into_iter().map(|(name, value)| format!("{name}={value}")).collect(),
        entrypoint: service.entrypoint(),
        cmd: service.args.clone(),
        volumes: base.config.volumes.clone(),
        working_dir: Some(service.workdir.clone()),
        labels,
        stop_signal: base.config.stop_signal.clone(),
    }
}
