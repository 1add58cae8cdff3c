//! Health checks as probes.

use serde_json::{Map, Value, json};

use crate::app::Health;

/// `livenessProbe` and `readinessProbe`: the same question; the first one begins when the time to start up is over.
/// On the node's network it is asked where the service may listen alone.
pub fn probes(health: &Health, on_host: bool) -> [(&'static str, Value); 2] {
    let mut probe = Map::new();
    if let Some((path, port)) = &health.http {
        let mut get = json!({ "path": path, "port": port });
        if on_host {
            get["host"] = "127.0.0.1".into();
        }
        probe.insert("httpGet".into(), get);
    }
    if let Some(command) = &health.command {
        probe.insert("exec".into(), json!({ "command": command }));
    }
    for (key, time) in [("periodSeconds", &health.interval), ("timeoutSeconds", &health.timeout)] {
        probe.extend(time.as_deref().and_then(seconds).map(|time| (key.to_owned(), time.max(1).into())));
    }
    probe.extend(health.retries.map(|retries| ("failureThreshold".to_owned(), retries.max(1).into())));
    let mut live = probe.clone();
    let start = health.start_period.as_deref().and_then(seconds);
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
