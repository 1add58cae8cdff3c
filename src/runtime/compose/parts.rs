//! Parses parts of a compose service: health check, ports, volumes.

use std::path::Path;

use anyhow::{Result, bail};
use serde_json::Value;

use crate::app::{Health, Probe, Volume, VolumeSource};
use crate::runtime::interpolation::scalar;

/// Parses `healthcheck`; `None` if it is disabled.
pub fn check(value: &Value) -> Option<Health> {
    let words: Vec<String> = match value.get("test")? {
        Value::Array(items) => items.iter().map(scalar).collect(),
        text => vec!["CMD-SHELL".into(), scalar(text)],
    };
    let command = match words.split_first()? {
        (kind, rest) if kind == "CMD" => rest.to_vec(),
        (kind, [line]) if kind == "CMD-SHELL" => vec!["/bin/sh".into(), "-c".into(), line.clone()],
        _ => return None,
    };
    let time = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    Some(Health {
        probe: Probe::Command(command),
        interval: time("interval"),
        timeout: time("timeout"),
        retries: value.get("retries").and_then(Value::as_u64).and_then(|retries| retries.try_into().ok()),
        start_period: time("start_period"),
        client: None,
    })
}

/// Formats a port in short form, `HOST:CONTAINER/PROTOCOL`.
pub fn short_port(value: &Value) -> String {
    let Some(map) = value.as_object() else { return scalar(value) };
    let part = |key: &str| map.get(key).map(scalar);
    let host = part("host_ip").map(|ip| format!("{ip}:")).unwrap_or_default();
    let published = part("published").map(|port| format!("{host}{port}:")).unwrap_or_default();
    format!("{published}{}{}", part("target").unwrap_or_default(), part("protocol").map(|p| format!("/{p}")).unwrap_or_default())
}

/// Parses a volume. A relative source starts at `folder`.
///
/// # Errors
/// When its type is not supported, or its source does not exist.
pub fn parse_volume(value: &Value, folder: &Path) -> Result<Volume> {
    let text = match value.as_object() {
        None => scalar(value),
        Some(map) => {
            let part = |key: &str| map.get(key).map(scalar).unwrap_or_default();
            if !matches!(part("type").as_str(), "bind" | "volume") {
                bail!("a volume of the type `{}` is not supported", part("type"));
            }
            let ending = if map.get("read_only") == Some(&Value::Bool(true)) { ":ro" } else { "" };
            format!("{}:{}{ending}", part("source"), part("target"))
        }
    };
    let text = if text.starts_with('.') { format!("{}/{text}", folder.display()) } else { text };
    let text = text.replace(":rw,", ":").replace(":rw", "");
    let volume = Volume::parse(&text).map_err(anyhow::Error::msg)?;
    if let VolumeSource::Host(path) = &volume.source
        && !Path::new(path).exists()
    {
        bail!("the volume's source `{path}` does not exist");
    }
    Ok(volume)
}
