//! Turns a container's table into a container.

use std::path::{Path, PathBuf};

use super::deployment;
use super::report::Report;
use crate::app::{Container, Health, ImageRef, Port, Probe, Volume};
use crate::config::tables::{ContainerTable, HealthTable, OneOrMany, PortValue};
use crate::config::{Step, schema};
use crate::diagnostic::Code;

/// Resolves all keys of a container; paths are relative to `folder`.
pub fn resolve(table: &ContainerTable, image: ImageRef, folder: &Path, report: &mut Report<'_>) -> Container {
    for key in table.environment.keys() {
        if key.is_empty() || key.contains(['=', '\0']) {
            report.wrong(
                Code::InvalidName,
                &[Step::Key("environment"), Step::Key(key)],
                format!("`{key}` is not a valid variable name"),
            );
        }
    }
    if table.command.as_ref().is_some_and(Vec::is_empty) {
        report.wrong(Code::InvalidValue, &[Step::Key("command")], "`command` is empty");
    }
    if let Some(workdir) = &table.workdir
        && !workdir.starts_with('/')
    {
        report.wrong(Code::InvalidValue, &[Step::Key("workdir")], format!("`{workdir}` is not an absolute path"));
    }
    for (key, value, choices) in [
        ("restart", &table.restart, &["no", "always", "on-failure", "unless-stopped"][..]),
        ("network-mode", &table.network_mode, &["host", "bridge", "none"][..]),
    ] {
        if let Some(value) = value
            && !choices.contains(&value.as_str())
        {
            let near = schema::did_you_mean(value, choices);
            report.wrong(
                Code::InvalidValue,
                &[Step::Key(key)],
                format!("`{key}` cannot be `{value}`{near} (it can be {})", choices.join(", ")),
            );
        }
    }
    if let Some(user) = &table.user
        && !is_user(user)
    {
        report.wrong(Code::InvalidValue, &[Step::Key("user")], format!("`{user}` is not `USER` or `UID:GID`"));
    }
    for (key, at, why) in table.confinement.faults() {
        report.wrong(Code::InvalidValue, &[Step::Key(key), Step::Index(at)], why);
    }
    Container {
        image,
        command: table.command.clone(),
        args: table.args.clone(),
        environment: table.environment.iter().map(|(name, value)| (name.clone(), value.to_string())).collect(),
        secrets: deployment::secrets(table, report),
        env_files: env_files(table, folder, report),
        ports: ports(&table.ports, report),
        volumes: volumes(&table.volumes, report),
        health: table.healthcheck.as_ref().and_then(|table| health(table, report)),
        user: table.user.clone(),
        workdir: table.workdir.clone(),
        restart: table.restart.clone(),
        network_mode: table.network_mode.clone(),
        devices: table.devices.clone(),
        privileged: table.privileged,
        confinement: table.confinement.clone(),
        labels: table.labels.clone(),
        replicas: table.replicas,
        resources: deployment::resources(table, report),
        stop_grace_period: deployment::grace_period(table, report),
    }
}

/// Whether it is `USER`, `UID`, or either with a group.
fn is_user(text: &str) -> bool {
    let is_name = |name: &str| {
        let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "._-$".contains(c));
        !name.is_empty() && is_plain && !name.starts_with('-')
    };
    text.matches(':').count() <= 1 && text.split(':').all(is_name)
}

fn env_files(table: &ContainerTable, folder: &Path, report: &mut Report<'_>) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for file in table.env_file.clone().map(OneOrMany::into_vec).unwrap_or_default() {
        let path = folder.join(&file);
        if !path.is_file() {
            report.wrong(Code::FileNotFound, &[Step::Key("env-file")], format!("`{file}` does not exist"));
        }
        paths.push(path);
    }
    paths
}

fn ports(written: &[PortValue], report: &mut Report<'_>) -> Vec<Port> {
    let mut ports = Vec::new();
    for (at, port) in written.iter().enumerate() {
        let text = match port {
            PortValue::Text(text) => text.clone(),
            PortValue::Number(number) => number.to_string(),
        };
        ports.extend(report.take(Code::InvalidValue, &[Step::Key("ports"), Step::Index(at)], Port::parse(&text)));
    }
    ports
}

fn volumes(written: &[String], report: &mut Report<'_>) -> Vec<Volume> {
    let mut volumes: Vec<Volume> = Vec::new();
    for (at, text) in written.iter().enumerate() {
        let place = [Step::Key("volumes"), Step::Index(at)];
        if let Some(volume) = report.take(Code::InvalidValue, &place, Volume::parse(text)) {
            if volumes.iter().any(|other| other.target == volume.target) {
                report.wrong(Code::ConflictingKeys, &place, format!("two volumes are mounted at `{}`", volume.target));
            }
            volumes.push(volume);
        }
    }
    volumes
}

fn health(table: &HealthTable, report: &mut Report<'_>) -> Option<Health> {
    let place = [Step::Key("healthcheck")];
    let probe = match (&table.path, table.port, table.grpc, &table.command) {
        (_, Some(0), ..) | (.., Some(0), _) => {
            let key = if table.port == Some(0) { "port" } else { "grpc" };
            report.wrong(Code::InvalidValue, &[place[0], Step::Key(key)], "no server listens at the port `0`");
            return None;
        }
        (Some(path), Some(port), None, None) if path.starts_with('/') => Probe::Http(path.clone(), port),
        (None, Some(port), None, None) => Probe::Port(port),
        (None, None, Some(port), None) => Probe::Grpc(port),
        (None, None, None, Some(command)) if !command.is_empty() => Probe::Command(command.clone()),
        _ => {
            report.wrong(
                Code::MissingKey,
                &place,
                "`healthcheck` needs one of `port`, `port` and `path`, `grpc`, and `command`; a path begins with `/`",
            );
            return None;
        }
    };
    if table.probe.is_some() && table.command.is_some() {
        let message = "`probe` and `command` exclude each other: the probe asks at a port";
        report.wrong(Code::ConflictingKeys, &[place[0], Step::Key("probe")], message);
    }
    let mut time = |key: &'static str, text: &Option<String>| {
        text.as_deref().and_then(|text| report.take(Code::InvalidValue, &[place[0], Step::Key(key)], deployment::duration(text)))
    };
    Some(Health {
        probe,
        interval: time("interval", &table.interval),
        timeout: time("timeout", &table.timeout),
        retries: table.retries,
        start_period: time("start-period", &table.start_period),
        client: None,
    })
}
