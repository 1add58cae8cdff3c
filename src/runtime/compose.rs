//! Parses the user's own compose text (Compose Specification) into the containers to start.

mod deploy;
mod parts;
mod reader;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value};

use super::environment::read_environment;
use super::interpolation::{replaced, scalar};
use super::launch::Launch;
use super::variables::Variables;
use crate::app::{Confinement, Container, Cpu, ImageRef, Memory, Port, Resources, Volume};
use crate::diagnostic::{Code, Note};
use deploy::Deploy;
use parts::{check, parse_volume, short_port};
use reader::Reader;

/// Keys that are ignored without a note, because they do not matter on this machine.
const WITHOUT_MEANING: [&str; 6] = ["build", "container_name", "hostname", "logging", "platform", "pull_policy"];

/// Parses a compose file's document into launches, and notes on the keys that are ignored. Relative paths start at `folder`.
///
/// # Errors
/// When a service has no image, or a value cannot be parsed.
pub fn launches(document: &Value, folder: &Path, variables: &Variables) -> Result<(Vec<Launch>, Vec<Note>)> {
    let services = document.get("services").context("`services` is missing")?;
    let services = replaced(services, &|name| variables.get(name))?;
    let services = services.as_object().context("`services` is not a map")?;
    let (mut launches, mut notes) = (Vec::new(), Vec::new());
    for (name, service) in services {
        let service = service.as_object().with_context(|| format!("the service `{name}` is not a map"))?;
        let launch = Launch { name: name.clone(), aliases: vec![name.clone()], ..Launch::default() };
        let (launch, unread) =
            read(launch, service, folder, variables).with_context(|| format!("failed to parse the service `{name}`"))?;
        notes.extend(unread);
        notes.extend(launch.replicas_note());
        launches.push(launch);
    }
    Ok((launches, notes))
}

/// Applies a fragment of a compose service to `launch` the way compose merges files: mappings merge, everything else replaces.
/// Also returns notes on the keys that are ignored.
///
/// # Errors
/// When a value cannot be parsed.
pub fn over(launch: Launch, piece: &Map<String, Value>, folder: &Path, variables: &Variables) -> Result<(Launch, Vec<Note>)> {
    let piece = replaced(&piece.clone().into(), &|name| variables.get(name))?;
    let Some(piece) = piece.as_object().filter(|piece| !piece.is_empty()) else { return Ok((launch, Vec::new())) };
    let name = launch.name.clone();
    read(launch, piece, folder, variables).with_context(|| format!("failed to parse `compose` of the service `{name}`"))
}

fn read(under: Launch, service: &Map<String, Value>, folder: &Path, variables: &Variables) -> Result<(Launch, Vec<Note>)> {
    let name = under.name.clone();
    let mut reader = Reader::new(service, folder, variables);
    let launch = reader.launch(under)?;
    let unread: Vec<&str> = reader.unread().filter(|key| !WITHOUT_MEANING.contains(key)).collect();
    let text = format!("`{}` of the service {{services}} is ignored here", unread.join("`, `"));
    let note = Code::KeysIgnored.note_of(&name, text);
    Ok((launch, if unread.is_empty() { Vec::new() } else { vec![note] }))
}

impl Reader<'_> {
    fn launch(&mut self, under: Launch) -> Result<Launch> {
        let Launch { name, mut aliases, after, container, free, dependency } = under;
        let after = match self.take("depends_on") {
            Some(Value::Object(map)) => map.keys().cloned().collect(),
            _ => self.list_over("depends_on", after),
        };
        aliases.extend(self.text("container_name").filter(|other| *other != name));
        Ok(Launch { container: self.container(container)?, name, aliases, after, free, dependency })
    }

    fn container(&mut self, under: Container) -> Result<Container> {
        let Container {
            image,
            command,
            args,
            mut environment,
            secrets,
            env_files,
            ports,
            volumes,
            health,
            user,
            workdir,
            restart,
            network_mode,
            devices,
            privileged,
            confinement,
            mut labels,
            replicas,
            resources,
            stop_grace_period,
        } = under;
        let mut of_files = BTreeMap::new();
        for file in self.list("env_file") {
            of_files.extend(read_environment(&self.folder.join(file), self.variables)?);
        }
        for (name, value) in of_files {
            environment.entry(name).or_insert(value);
        }
        environment.extend(self.environment());
        labels.extend(self.pairs("labels"));
        let image = self.text("image").map_or(image, |text| ImageRef::foreign(&text));
        if image.as_str().is_empty() {
            bail!("`image` is missing");
        }
        let (entrypoint, words) = (self.words("entrypoint")?, self.words("command")?);
        let Resources { cpu, memory, cpu_limit, memory_limit } = resources;
        let mut amount = |key: &str, under| self.text(key).map_or(under, |text| Memory::of_compose(&text));
        let (memory_limit, memory) = (amount("mem_limit", memory_limit), amount("mem_reservation", memory));
        let cpu_limit = self.text("cpus").map_or(cpu_limit, |text| Cpu::parse(&text).ok());
        let cpu = self.text("cpu_shares").map_or(cpu, |text| Cpu::of_shares(text.parse().ok()?));
        let restart = self.text("restart").or(restart);
        let resources = Resources { cpu, memory, cpu_limit, memory_limit };
        let deploy = match self.take("deploy").and_then(Value::as_object) {
            Some(table) => deploy::parse(table, resources),
            None => Deploy { resources, ..Deploy::default() },
        };
        self.ignore(deploy.ignored);
        Ok(Container {
            image,
            args: words.unwrap_or(if entrypoint.is_some() { Vec::new() } else { args }),
            command: entrypoint.or(command),
            environment,
            secrets,
            env_files,
            ports: self.ports(ports)?,
            volumes: self.volumes(volumes)?,
            health: self.take("healthcheck").map_or(health, check),
            user: self.text("user").or(user),
            workdir: self.text("working_dir").or(workdir),
            restart: deploy.restart.map(str::to_owned).or(restart),
            network_mode: self.text("network_mode").or(network_mode),
            devices: self.list_over("devices", devices),
            privileged: self.flag("privileged", privileged),
            confinement: self.confinement(confinement),
            labels,
            replicas: deploy.replicas.or(replicas),
            resources: deploy.resources,
            stop_grace_period: self.text("stop_grace_period").or(stop_grace_period),
        })
    }

    fn confinement(&mut self, under: Confinement) -> Confinement {
        let Confinement { init, cap_add, cap_drop, read_only, tmpfs } = under;
        // A tmpfs has its options after its path.
        let path = |text: String| text.split(':').next().unwrap_or_default().to_owned();
        Confinement {
            init: self.take("init").and_then(Value::as_bool).or(init),
            cap_add: self.list_over("cap_add", cap_add),
            cap_drop: self.list_over("cap_drop", cap_drop),
            read_only: self.flag("read_only", read_only),
            tmpfs: self.list_over("tmpfs", tmpfs).into_iter().map(path).collect(),
        }
    }

    fn ports(&mut self, under: Vec<Port>) -> Result<Vec<Port>> {
        let mut ports = match self.take("ports").and_then(Value::as_array) {
            None => under,
            Some(ports) => {
                let parse = |port| Port::parse(&short_port(port)).map_err(anyhow::Error::msg);
                ports.iter().map(parse).collect::<Result<_>>()?
            }
        };
        // Exposed ports only matter to other services. Compose also allows ranges here, which are skipped.
        let exposed = self.take("expose").and_then(Value::as_array).into_iter().flatten();
        ports.extend(exposed.filter_map(|port| Port::parse(&scalar(port)).ok()));
        Ok(ports)
    }

    fn volumes(&mut self, under: Vec<Volume>) -> Result<Vec<Volume>> {
        match self.take("volumes").and_then(Value::as_array) {
            None => Ok(under),
            Some(volumes) => volumes.iter().map(|volume| parse_volume(volume, self.folder)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Probe;

    #[test]
    fn variables_are_handed_down_and_replaced_as_compose_does() {
        let path = std::env::var("PATH").expect("a path");
        let text = "services:\n  a:\n    image: a:1\n    environment: { PATH: , NOBODY_HAS_SET_IT: , EMPTY: '', \
            A: '${PATH:?why}', B: '${NOBODY_HAS_SET_IT-b}', C: $$PATH }\n  \
            b:\n    image: b:1\n    environment: [PATH, NOBODY_HAS_SET_IT, X=]\n    labels: [PATH]\n";
        let variables = Variables::read(Path::new("/nonexistent")).expect("variables");
        let document: Value = serde_saphyr::from_str(text).expect("yaml");
        let (launches, _) = launches(&document, Path::new("/"), &variables).expect("launches");
        let environment =
            |at: usize| launches[at].container.environment.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect::<Vec<_>>();
        assert_eq!(environment(0), [("A", path.as_str()), ("B", "b"), ("C", "$PATH"), ("EMPTY", ""), ("PATH", &path)]);
        assert_eq!(environment(1), [("PATH", path.as_str()), ("X", "")]);
        assert_eq!(launches[1].container.labels["PATH"], "");
        let document: Value = serde_saphyr::from_str(&text.replace("PATH:?why", "NOBODY_HAS_SET_IT:?why")).expect("yaml");
        let error = super::launches(&document, Path::new("/"), &variables).expect_err("it is not set");
        assert!(error.to_string().contains("`NOBODY_HAS_SET_IT` must be set: why"), "{error}");
    }

    #[test]
    fn a_compose_file_becomes_launches() {
        let text = r#"
services:
  a:
    image: a:1
    command: sh -c "echo $$HOME"
    environment: ["X=1"]
    ports: ["8080:80", { target: 53, published: 5353, protocol: udp }]
    expose: [9000, "9100-9200"]
    depends_on: { b: { condition: service_healthy } }
    mem_limit: 64m
    mem_swappiness: 0
    tmpfs: /run:size=64m
    restart: always
  b:
    image: b:1
    volumes: ["data:/data:ro"]
    healthcheck: { test: ["CMD", "/check"], timeout: 2s }
"#;
        let variables = Variables::read(Path::new("/nonexistent")).expect("variables");
        let document: Value = serde_saphyr::from_str(text).expect("yaml");
        let (launches, notes) = launches(&document, Path::new("/"), &variables).expect("launches");
        let [a, b] = &launches[..] else { panic!("two") };
        assert_eq!(a.container.args, ["sh", "-c", "echo $HOME"]);
        assert_eq!(a.after, ["b"]);
        assert_eq!(a.container.ports.iter().map(Port::short).collect::<Vec<_>>(), ["8080:80", "5353:53/udp", "9000"]);
        assert!(b.container.volumes[0].read_only);
        let health = b.container.health.clone().expect("a check");
        assert_eq!((health.probe, health.timeout.as_deref()), (Probe::Command(vec!["/check".into()]), Some("2s")));
        assert_eq!(a.container.resources.memory_limit.as_ref().map(|memory| memory.bytes), Some(64 << 20));
        assert_eq!(a.container.confinement.tmpfs, ["/run"]);
        let shown: Vec<String> = notes.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["`mem_swappiness` of the service `a` is ignored here"]);
        let piece = serde_json::json!({ "environment": { "X": 2 }, "ports": [], "init": true, "entrypoint": ["/x"] });
        let (over, _) = super::over(a.clone(), piece.as_object().expect("a map"), Path::new("/"), &variables).expect("merged");
        let merged = over.container;
        assert_eq!((merged.environment["X"].as_str(), merged.ports.len(), merged.args.len()), ("2", 0, 0));
        assert!(merged.confinement.init == Some(true) && merged.command == Some(vec!["/x".into()]) && over.after == ["b"]);
    }
}
