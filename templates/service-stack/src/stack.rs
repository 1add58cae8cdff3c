//! The stack: networks, stacks in it, and services, as requests to Docker.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, Instant};

use base64::Engine;
use serde_json::{Value, json};

use crate::docker::{ask, done, encoded};

/// What came of a wish: JSON.
pub type Answer = Result<String, Box<dyn Error>>;

/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(150);

const LABEL: &str = "com.docker.stack.namespace";

/// A stack with all that is in it.
pub struct Stack {
    full: String,
    networks: Vec<Value>,
    configs: Vec<Value>,
    services: Vec<Value>,
    stacks: Vec<Stack>,
}

impl Stack {
    /// Reads the stack's requests, and puts in what this container was told of the stack around it.
    pub fn read(path: &str) -> Result<Self, Box<dyn Error>> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        Self::parse(&text, &|name| {
            std::env::var(name).ok().filter(|value| !value.is_empty())
        })
    }

    /// As [`Stack::read`], with `told` for the environment.
    pub fn parse(
        text: &str,
        told: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Box<dyn Error>> {
        let value: Value = serde_json::from_str(text)?;
        let prefix = value["Variables"].as_str().unwrap_or_default();
        let own = value["App"].as_str().unwrap_or_default();
        let told = |name: &str| told(&format!("{prefix}_{name}"));
        let name = value["Name"].as_str().unwrap_or_default();
        let app = told("APPNAME").unwrap_or_else(|| own.to_owned());
        let parent = told("STACKNAME").or_else(|| (name != own).then(|| own.to_owned()));
        let host = std::fs::read_to_string("/etc/hostname")
            .unwrap_or_default()
            .trim()
            .to_owned();
        Ok(Self::of(
            &value,
            prefix,
            &app,
            parent.as_deref(),
            &host,
            &told,
        ))
    }

    fn of(
        value: &Value,
        prefix: &str,
        app: &str,
        parent: Option<&str>,
        host: &str,
        told: &dyn Fn(&str) -> Option<String>,
    ) -> Self {
        let name = value["Name"].as_str().unwrap_or_default();
        let full = parent.map_or_else(|| name.to_owned(), |parent| format!("{parent}-{name}"));
        let network = parent
            .map(|parent| format!("{app}_{parent}_family"))
            .unwrap_or_default();
        let variables = BTreeMap::from([
            (
                format!("{prefix}_PARENT"),
                parent.unwrap_or_default().to_owned(),
            ),
            (
                format!("{prefix}_PARENTHOST"),
                parent.map(|_| host.to_owned()).unwrap_or_default(),
            ),
            (format!("{prefix}_APPNAME"), app.to_owned()),
            (format!("{prefix}_STACKNAME"), full.clone()),
            (
                format!("{prefix}_PARENT_NETWORK"),
                told("PARENT_NETWORK")
                    .filter(|_| parent.is_none())
                    .unwrap_or(network),
            ),
        ]);
        let list = |key: &str| -> Vec<Value> {
            value[key]
                .as_array()
                .into_iter()
                .flatten()
                .map(|one| filled(one, &variables))
                .collect()
        };
        let inner = value["Stacks"].as_array().into_iter().flatten();
        let stacks = inner
            .map(|inner| Self::of(inner, prefix, app, Some(&full), host, &|_| None))
            .collect();
        let (networks, configs, services) = (list("Networks"), list("Configs"), list("Services"));
        Self {
            full,
            networks,
            configs,
            services,
            stacks,
        }
    }

    /// Its name in the swarm.
    pub fn name(&self) -> &str {
        &self.full
    }

    /// Networks first, then the stacks in it, then its services, each once those before it run.
    pub fn deploy(&self) -> Answer {
        for network in &self.networks {
            let name = network["Name"].as_str().unwrap_or_default();
            if ask("GET", &format!("/networks/{}", encoded(name)), None)?.0 != 200 {
                let mut network = network.clone();
                network["Labels"] = json!({ LABEL: self.full });
                done(
                    &format!("making the network {name}"),
                    "POST",
                    "/networks/create",
                    Some(&network),
                )?;
            }
        }
        for stack in &self.stacks {
            stack.deploy()?;
        }
        for config in &self.configs {
            let text = config["Text"].as_str().unwrap_or_default();
            let data = base64::prelude::BASE64_STANDARD.encode(text);
            let body =
                json!({ "Name": config["Name"], "Labels": { LABEL: self.full }, "Data": data });
            let (status, answer) = ask("POST", "/configs/create", Some(&body))?;
            if status != 201 && status != 409 {
                return Err(format!(
                    "making the config {}: {}",
                    config["Name"], answer["message"]
                )
                .into());
            }
        }
        let waves = self
            .services
            .iter()
            .filter_map(|service| service["Wave"].as_u64())
            .max();
        for wave in 0..waves.map_or(0, |last| last + 1) {
            let services = || {
                self.services
                    .iter()
                    .filter(|service| service["Wave"] == wave)
            };
            for service in services() {
                self.apply(&service["Spec"])?;
            }
            let names: Vec<&str> = services()
                .filter_map(|service| service["Spec"]["Name"].as_str())
                .collect();
            self.wait(&names)?;
        }
        self.status()
    }

    /// Makes a service, or makes it what it should be.
    fn apply(&self, spec: &Value) -> Result<(), Box<dyn Error>> {
        let mut spec = spec.clone();
        for (kind, id, name) in [
            ("Configs", "ConfigID", "ConfigName"),
            ("Secrets", "SecretID", "SecretName"),
        ] {
            let used = spec["TaskTemplate"]["ContainerSpec"][kind].as_array_mut();
            for one in used.into_iter().flatten() {
                let path = format!(
                    "/{}/{}",
                    kind.to_lowercase(),
                    encoded(one[name].as_str().unwrap_or_default())
                );
                one[id] =
                    done(&format!("looking for {}", one[name]), "GET", &path, None)?["ID"].clone();
            }
        }
        let name = spec["Name"].as_str().unwrap_or_default().to_owned();
        let (status, there) = ask("GET", &format!("/services/{}", encoded(&name)), None)?;
        let path = match status {
            200 => format!(
                "/services/{}/update?version={}",
                encoded(&name),
                there["Version"]["Index"]
            ),
            _ => "/services/create".to_owned(),
        };
        done(
            &format!("starting the service {name}"),
            "POST",
            &path,
            Some(&spec),
        )?;
        Ok(())
    }

    fn wait(&self, names: &[&str]) -> Result<(), Box<dyn Error>> {
        let end = Instant::now() + PATIENCE;
        loop {
            let states = self.states()?;
            let runs = |name: &&&str| {
                let state = states.iter().find(|state| state["service"] == ***name);
                state.is_some_and(|state| state["running"].as_u64() >= state["wanted"].as_u64())
            };
            let Some(late) = names.iter().find(|name| !runs(name)) else {
                return Ok(());
            };
            if Instant::now() > end {
                return Err(format!("the service {late} does not run in time").into());
            }
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    fn states(&self) -> Result<Vec<Value>, Box<dyn Error>> {
        let filter = encoded(&json!({ "label": [format!("{LABEL}={}", self.full)] }).to_string());
        let path = format!("/services?status=true&filters={filter}");
        let services = done("asking for the services", "GET", &path, None)?;
        let state = |service: &Value| {
            json!({
                "service": service["Spec"]["Name"],
                "image": service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"],
                "wanted": service["ServiceStatus"]["DesiredTasks"],
                "running": service["ServiceStatus"]["RunningTasks"],
            })
        };
        Ok(services
            .as_array()
            .into_iter()
            .flatten()
            .map(state)
            .collect())
    }

    /// How it is, and all stacks in it.
    pub fn status(&self) -> Answer {
        let mut all = Vec::new();
        self.gather(&mut all)?;
        Ok(serde_json::to_string_pretty(&all)? + "\n")
    }

    fn gather(&self, all: &mut Vec<Value>) -> Result<(), Box<dyn Error>> {
        all.push(json!({ "stack": self.full, "services": self.states()? }));
        self.stacks.iter().try_for_each(|stack| stack.gather(all))
    }

    /// Services in reverse order, then the stacks in it, then its networks and configs; waits until all is gone.
    pub fn remove(&self) -> Answer {
        let filter = encoded(&json!({ "label": [format!("{LABEL}={}", self.full)] }).to_string());
        for service in self.services.iter().rev() {
            let name = service["Spec"]["Name"].as_str().unwrap_or_default();
            ask("DELETE", &format!("/services/{}", encoded(name)), None)?;
            self.gone(
                &format!("/containers/json?filters={filter}"),
                &|container| {
                    container["Names"][0]
                        .as_str()
                        .is_some_and(|own| own.starts_with(&format!("/{name}.")))
                },
            )?;
        }
        for stack in self.stacks.iter().rev() {
            stack.remove()?;
        }
        let end = Instant::now() + PATIENCE;
        for (kind, list) in [("networks", &self.networks), ("configs", &self.configs)] {
            for one in list {
                let path = format!(
                    "/{kind}/{}",
                    encoded(one["Name"].as_str().unwrap_or_default())
                );
                while ask("DELETE", &path, None)?.0 != 404 {
                    if Instant::now() > end {
                        return Err(format!("{} is still in use", one["Name"]).into());
                    }
                    std::thread::sleep(Duration::from_millis(300));
                }
            }
        }
        self.status()
    }

    fn gone(&self, path: &str, mine: &dyn Fn(&Value) -> bool) -> Result<(), Box<dyn Error>> {
        let end = Instant::now() + PATIENCE;
        while done("asking for the containers", "GET", path, None)?
            .as_array()
            .into_iter()
            .flatten()
            .any(mine)
        {
            if Instant::now() > end {
                return Err("replicas are still there".into());
            }
            std::thread::sleep(Duration::from_millis(300));
        }
        Ok(())
    }
}

/// A value with its variables replaced: `$NAME` in braces, with a default after `:-`; a doubled `$` is one.
fn filled(value: &Value, variables: &BTreeMap<String, String>) -> Value {
    match value {
        Value::String(text) => replaced(text, variables).into(),
        Value::Array(list) => list.iter().map(|one| filled(one, variables)).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, one)| (key.clone(), filled(one, variables)))
            .collect(),
        other => other.clone(),
    }
}

fn replaced(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((inner, after)) = after
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'))
        {
            let name = inner.split(':').next().unwrap_or_default();
            let default = inner
                .split_once(":-")
                .map(|(_, default)| default.to_owned());
            let known = variables.get(name).cloned();
            let of_environment = || std::env::var(name).ok();
            out.push_str(
                &known
                    .or_else(of_environment)
                    .or(default)
                    .unwrap_or_default(),
            );
            rest = after;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out + rest
}
