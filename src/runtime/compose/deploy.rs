//! Parses `deploy` of a compose service: what it says about a single container.

use serde_json::{Map, Value};

use crate::app::{Cpu, Memory, Resources};
use crate::runtime::interpolation::scalar;

/// What a single container has of `deploy`.
#[derive(Debug, Default, PartialEq)]
pub struct Deploy {
    /// Its processor and memory.
    pub resources: Resources,
    /// How many of it there should be.
    pub replicas: Option<u32>,
    /// Its restart policy, in compose's notation.
    pub restart: Option<&'static str>,
    /// The paths of the keys that are not applied, such as `deploy.placement`.
    pub ignored: Vec<String>,
}

/// Keys that mean nothing to a single container.
const WITHOUT_MEANING: [&str; 2] = ["mode", "endpoint_mode"];

/// Parses `deploy`; resources that it does not set are those of `under`.
pub fn parse(deploy: &Map<String, Value>, under: Resources) -> Deploy {
    let mut found = Deploy { resources: under, ..Deploy::default() };
    for (key, value) in deploy.iter().filter(|(key, value)| !value.is_null() && !WITHOUT_MEANING.contains(&key.as_str())) {
        let condition = || value.get("condition").and_then(Value::as_str).unwrap_or("any");
        match key.as_str() {
            "resources" => found.amounts(value),
            "replicas" => found.replicas = scalar(value).parse().ok(),
            "restart_policy" => found.restart = Some(restart(condition())),
            other => found.ignored.push(format!("deploy.{other}")),
        }
    }
    found
}

fn restart(condition: &str) -> &'static str {
    match condition {
        "none" => "no",
        "on-failure" => "on-failure",
        _ => "always",
    }
}

impl Deploy {
    fn amounts(&mut self, resources: &Value) {
        let Resources { cpu, memory, cpu_limit, memory_limit } = &mut self.resources;
        for (part, amounts) in resources.as_object().into_iter().flatten() {
            for (key, value) in amounts.as_object().into_iter().flatten() {
                let text = scalar(value);
                let (processor, bytes) = (Cpu::parse(&text).ok(), Memory::of_compose(&text));
                let applied = match (part.as_str(), key.as_str()) {
                    ("limits", "cpus") => set(cpu_limit, processor),
                    ("reservations", "cpus") => set(cpu, processor),
                    ("limits", "memory") => set(memory_limit, bytes),
                    ("reservations", "memory") => set(memory, bytes),
                    _ => false,
                };
                if !applied {
                    self.ignored.push(format!("deploy.resources.{part}.{key}"));
                }
            }
        }
    }
}

/// Replaces a value if there is a new one; returns whether there is.
fn set<T>(old: &mut Option<T>, new: Option<T>) -> bool {
    let there = new.is_some();
    if there {
        *old = new;
    }
    there
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_container_can_have_is_applied_and_the_rest_is_named() {
        let text = "{ mode: replicated, replicas: '2', restart_policy: { condition: none }, placement: { constraints: [x] }, \
            update_config: { parallelism: 1 }, resources: { limits: { cpus: '0.50', memory: 64M, pids: 5 }, \
            reservations: { cpus: 0.25, memory: 32x } } }";
        let value: Value = serde_saphyr::from_str(text).expect("YAML");
        let under = Resources { memory: Memory::parse("1Mi").ok(), ..Resources::default() };
        let Deploy { resources, replicas, restart, mut ignored } = parse(value.as_object().expect("a map"), under);
        let milli = |cpu: Option<Cpu>| cpu.map(|cpu| cpu.milli);
        let bytes = |memory: Option<Memory>| memory.map(|memory| memory.bytes);
        assert_eq!((milli(resources.cpu_limit), milli(resources.cpu)), (Some(500), Some(250)));
        assert_eq!((bytes(resources.memory_limit), bytes(resources.memory)), (Some(64 << 20), Some(1 << 20)));
        assert_eq!((replicas, restart), (Some(2), Some("no")));
        ignored.sort();
        assert_eq!(
            ignored,
            ["deploy.placement", "deploy.resources.limits.pids", "deploy.resources.reservations.memory", "deploy.update_config"]
        );
    }
}
