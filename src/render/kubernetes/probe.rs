//! Health checks as probes.

use serde_json::{Map, Value, json};

use crate::app::{Health, Probe};

/// `livenessProbe` and `readinessProbe`: the same question; the first one begins when the time to start up is over.
/// On the node's network it is asked where the service may listen alone.
pub fn probes(health: &Health, on_host: bool) -> [(&'static str, Value); 2] {
    let mut probe = Map::new();
    let Health { probe: asked, interval, timeout, retries, start_period, client: _ } = health;
    // A `grpc` probe has no `host`.
    let inside = if on_host { health.inside() } else { None };
    let (key, mut question) = match (asked, &inside) {
        (Probe::Http(path, port), _) => ("httpGet", json!({ "path": path, "port": port })),
        (Probe::Port(port), _) => ("tcpSocket", json!({ "port": port })),
        (Probe::Command(command), _) | (Probe::Grpc(_), Some(command)) => ("exec", json!({ "command": command })),
        (Probe::Grpc(port), None) => ("grpc", json!({ "port": port })),
    };
    if on_host && matches!(asked, Probe::Http(..) | Probe::Port(_)) {
        question["host"] = "127.0.0.1".into();
    }
    probe.insert(key.into(), question);
    for (key, time) in [("periodSeconds", interval), ("timeoutSeconds", timeout)] {
        probe.extend(time.as_deref().and_then(seconds).map(|time| (key.to_owned(), time.max(1).into())));
    }
    probe.extend(retries.map(|retries| ("failureThreshold".to_owned(), retries.max(1).into())));
    let mut live = probe.clone();
    let start = start_period.as_deref().and_then(seconds);
    live.extend(start.map(|time| ("initialDelaySeconds".to_owned(), time.into())));
    [("livenessProbe", live.into()), ("readinessProbe", probe.into())]
}

/// Whole seconds of a time in compose's words, rounded up.
pub fn seconds(text: &str) -> Option<u64> {
    let time = humantime::parse_duration(text).ok()?;
    Some(time.as_secs() + u64::from(time.subsec_nanos() > 0))
}

/// The times that no probe can have.
pub fn unreadable(health: &Health) -> impl Iterator<Item = &String> {
    [&health.interval, &health.timeout, &health.start_period].into_iter().flatten().filter(|time| seconds(time).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_up() {
        let all: Vec<Option<u64>> = ["10s", "1m30s", "500ms", "1h", "soon", ""].into_iter().map(seconds).collect();
        assert_eq!(all, [Some(10), Some(90), Some(1), Some(3600), None, None]);
    }
}
