//! The Dockerfile instructions for an image's run configuration.

use std::collections::BTreeMap;

use crate::oci::{DEFAULT_PATH, Healthcheck, RunConfig};

/// The arguments of the instructions.
#[derive(Debug, Default)]
pub struct Instructions {
    /// `ARG`: variables of several lines, which a Dockerfile cannot say, with their values.
    pub args: BTreeMap<String, String>,
    /// `ENV`
    pub env: Vec<String>,
    /// `LABEL`, without those of several lines.
    pub labels: Vec<String>,
    /// `EXPOSE`
    pub ports: Vec<String>,
    /// `WORKDIR`
    pub workdir: Option<String>,
    /// `USER`
    pub user: Option<String>,
    /// `HEALTHCHECK`
    pub healthcheck: Option<String>,
    /// `ENTRYPOINT`; it empties `CMD`.
    pub entrypoint: Option<Vec<String>>,
    /// `CMD`
    pub cmd: Option<Vec<String>>,
}

impl Instructions {
    /// The instructions that turn the run configuration `base` into `wanted`.
    pub fn between(base: &RunConfig, wanted: &RunConfig) -> Self {
        let there = base.variables();
        let is_there = |name: &str, value: &str| match there.get(name) {
            Some(other) => *other == value,
            None => (name, value) == ("PATH", DEFAULT_PATH),
        };
        let env: BTreeMap<&str, &str> = wanted.variables().into_iter().filter(|(name, value)| !is_there(name, value)).collect();
        let line = |(name, value): (&&str, &&str)| match value.contains('\n') {
            true => format!("{name}=\"${name}\""),
            false => format!("{name}={}", quoted(value)),
        };
        let new_labels = wanted.labels.iter().filter(|(name, value)| base.labels.get(*name) != Some(*value));
        let starts_otherwise = (&base.entrypoint, &base.cmd) != (&wanted.entrypoint, &wanted.cmd);
        Self {
            args: env
                .iter()
                .filter(|(_, value)| value.contains('\n'))
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            env: env.iter().map(line).collect(),
            labels: new_labels
                .filter(|(_, value)| !value.contains('\n'))
                .map(|(name, value)| format!("{}={}", quoted(name), quoted(value)))
                .collect(),
            ports: wanted.exposed_ports.keys().filter(|port| !base.exposed_ports.contains_key(*port)).cloned().collect(),
            workdir: wanted.working_dir.clone().filter(|workdir| base.working_dir.as_ref() != Some(workdir)),
            user: match (&base.user, &wanted.user) {
                (Some(_), None) => Some("0:0".to_owned()),
                (base, wanted) => wanted.clone().filter(|_| base != wanted),
            },
            healthcheck: wanted.healthcheck.as_ref().filter(|check| base.healthcheck.as_ref() != Some(check)).map(check),
            entrypoint: starts_otherwise.then(|| wanted.entrypoint.clone()),
            cmd: starts_otherwise.then(|| wanted.cmd.clone()),
        }
    }
}

/// `--interval=10s CMD ["/usr/local/bin/check"]`, or `NONE`.
fn check(check: &Healthcheck) -> String {
    let Healthcheck { test, interval, timeout, start_period, retries } = check;
    let times = [("interval", interval), ("timeout", timeout), ("start-period", start_period)];
    let times =
        times.into_iter().filter(|(_, time)| **time > 0).map(|(flag, time)| match (time % 1_000_000_000, time % 1_000_000) {
            (0, _) => format!("--{flag}={}s ", time / 1_000_000_000),
            (_, 0) => format!("--{flag}={}ms ", time / 1_000_000),
            _ => format!("--{flag}={time}ns "),
        });
    let flags: String = times.chain((*retries > 0).then(|| format!("--retries={retries} "))).collect();
    match test.split_first() {
        Some((kind, command)) if kind == "CMD" => format!("{flags}CMD {}", serde_json::Value::from(command)),
        _ => "NONE".to_owned(),
    }
}

/// In double quotes, in which a Dockerfile still replaces variables (Dockerfile reference, "Environment replacement").
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$");
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Nothing;

    #[test]
    fn what_the_base_says_is_not_said_again() {
        let port = |text: &str| (text.to_owned(), Nothing {});
        let base = RunConfig {
            user: Some("app".into()),
            env: vec!["LANG=C".into(), "A=1".into()],
            exposed_ports: [port("80/tcp")].into(),
            working_dir: Some("/".into()),
            entrypoint: vec!["/init".into()],
            ..RunConfig::default()
        };
        let own = RunConfig {
            env: vec!["A=2".into(), "B=x\ny".into(), "C=$\"".into()],
            exposed_ports: [port("80/tcp"), port("81/udp")].into(),
            working_dir: Some("/".into()),
            ..RunConfig::default()
        };
        let made = Instructions::between(&base, &own.over(&base));
        assert_eq!(made.env, ["A=\"2\"", "B=\"$B\"", "C=\"\\$\\\"\""]);
        assert_eq!(made.args, BTreeMap::from([("B".to_owned(), "x\ny".to_owned())]));
        assert_eq!((made.ports, made.workdir), (vec!["81/udp".to_owned()], None));
        // Neither the user nor the program of the base may come through.
        assert_eq!((made.user.as_deref(), made.entrypoint, made.cmd), (Some("0:0"), Some(vec![]), Some(vec![])));
        assert_eq!(made.healthcheck, None);
        let same = Instructions::between(&base, &base.over(&base));
        assert!(same.env.is_empty() && same.entrypoint.is_none() && same.user.is_none());
    }

    #[test]
    fn the_check_is_that_of_the_service_alone() {
        let check = |interval, words: &[&str]| Healthcheck {
            test: words.iter().map(|word| (*word).to_owned()).collect(),
            interval,
            retries: i64::from(interval > 0),
            ..Healthcheck::default()
        };
        let with = |check| RunConfig { healthcheck: check, ..RunConfig::default() };
        let base = with(Some(check(0, &["CMD-SHELL", "curl localhost"])));
        let made = |own: &RunConfig| Instructions::between(&base, &own.over(&base)).healthcheck;
        assert_eq!(made(&with(None)).as_deref(), Some("NONE"));
        let own = with(Some(check(1_500_000_000, &["CMD", "/probe", "80"])));
        assert_eq!(made(&own).as_deref(), Some("--interval=1500ms --retries=1 CMD [\"/probe\",\"80\"]"));
        assert_eq!(Instructions::between(&own, &own.over(&own)).healthcheck, None);
    }
}
