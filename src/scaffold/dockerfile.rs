//! What a Dockerfile says of the image that it makes.

use std::collections::BTreeMap;

use super::apt::{Installed, packages};
use super::discovered::Discovered;
use super::instructions::{instructions, list, variables};
use crate::app::Port;

/// Variables that are about building, and not about the service.
const OF_BUILDS: [&str; 5] = ["PATH", "DEBIAN_FRONTEND", "CARGO_HOME", "RUSTUP_HOME", "CARGO_TARGET_DIR"];

/// What a Dockerfile says of its last stage, which makes the image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadDockerfile {
    /// What it says of the service, but for files and arguments.
    pub found: Discovered,
    /// The words of `ENTRYPOINT` and `CMD`.
    pub words: Vec<String>,
    /// What `COPY` takes from the context: the path there, and the absolute path in the image. Empty if the stage compiles.
    pub copies: Vec<(String, String)>,
}

/// One stage, while it is read.
#[derive(Clone, Default)]
struct Stage {
    image: String,
    installed: Vec<String>,
    compiles: bool,
    /// Values of `ENV` and `ARG`, with which others are filled in.
    known: BTreeMap<String, String>,
    environment: BTreeMap<String, String>,
    ports: Vec<String>,
    health: Option<(String, u16)>,
    workdir: String,
    entrypoint: Vec<String>,
    command: Vec<String>,
    copies: Vec<(String, String)>,
}

/// Reads the last stage, with what it takes from the stages that it begins with. `source` is the file's path, relative to the workspace.
pub fn read(text: &str, source: &str) -> ReadDockerfile {
    let mut stages: BTreeMap<String, Stage> = BTreeMap::new();
    let (mut stage, mut name) = (Stage::default(), String::new());
    for line in instructions(text) {
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((&line, ""));
        if word.eq_ignore_ascii_case("FROM") {
            let words: Vec<&str> = rest.split_whitespace().filter(|word| !word.starts_with("--")).collect();
            let image = words.first().copied().unwrap_or_default().to_owned();
            stages.insert(std::mem::take(&mut name), std::mem::take(&mut stage));
            stage = stages.get(&image).cloned().unwrap_or_else(|| Stage { image, ..Stage::default() });
            name = words.get(2).copied().unwrap_or_default().to_owned();
        } else {
            stage.read(&word.to_ascii_uppercase(), rest.trim());
        }
    }
    stage.image(source)
}

impl Stage {
    fn read(&mut self, word: &str, rest: &str) {
        match word {
            "EXPOSE" => {
                let ports = rest.split_whitespace().filter_map(|port| self.filled(port));
                self.ports.extend(ports.filter(|port| Port::parse(port).is_ok()).collect::<Vec<_>>());
            }
            "ARG" => {
                self.known.extend(rest.split_once('=').map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())))
            }
            "ENV" => {
                for (name, value) in variables(rest) {
                    // What only the build knows is not known here.
                    match self.filled(&value) {
                        Some(value) => {
                            self.known.insert(name.clone(), value.clone());
                            self.environment.insert(name, value)
                        }
                        None => self.environment.remove(&name),
                    };
                }
            }
            "HEALTHCHECK" => self.health = self.filled(rest).and_then(|command| url(&command)),
            "RUN" => {
                self.compiles |= rest.contains("cargo ");
                self.installed.extend(packages(rest));
            }
            "WORKDIR" => self.workdir = self.filled(rest).map(|folder| self.absolute(&folder)).unwrap_or_default(),
            "ENTRYPOINT" => (self.entrypoint, self.command) = (list(rest), Vec::new()),
            "CMD" => self.command = list(rest),
            "COPY" | "ADD" => self.copies.extend(self.copied(rest)),
            _ => {}
        }
    }

    /// A text with its variables filled in; none if one is not known.
    fn filled(&self, text: &str) -> Option<String> {
        let mut parts = text.split('$');
        let mut all = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = match part.strip_prefix('{') {
                Some(part) => part.split_once('}')?,
                None => part.split_at(part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(part.len())),
            };
            let (name, default) = name.split_once(":-").map_or((name, None), |(name, default)| (name, Some(default)));
            all += self.known.get(name).map(String::as_str).or(default)?;
            all += rest;
        }
        Some(all)
    }

    fn absolute(&self, path: &str) -> String {
        let path = path.strip_prefix("./").unwrap_or(path);
        if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", self.workdir.trim_end_matches('/')) }
    }

    /// What an instruction takes from the context.
    fn copied(&self, rest: &str) -> Vec<(String, String)> {
        let words = list(rest);
        if words.iter().any(|word| word.starts_with("--from")) {
            return Vec::new();
        }
        let words: Vec<&String> = words.iter().filter(|word| !word.starts_with("--")).collect();
        let Some((to, sources)) = words.split_last() else { return Vec::new() };
        let Some(to) = self.filled(to) else { return Vec::new() };
        let to = self.absolute(if to == "." { "" } else { &to });
        let to = if sources.len() > 1 && !to.ends_with('/') { to + "/" } else { to };
        let sources = sources.iter().filter_map(|source| self.filled(source));
        sources.map(|source| (source.trim_start_matches("./").trim_start_matches('/').to_owned(), to.clone())).collect()
    }

    fn image(self, source: &str) -> ReadDockerfile {
        let Self { image, installed, compiles, environment, ports, health, workdir, entrypoint, command, copies, known: _ } =
            self;
        let is_of_service = |name: &String| !OF_BUILDS.contains(&name.as_str()) && !is_secret(name);
        let found = Discovered {
            ports,
            health,
            environment: environment.into_iter().filter(|(name, _)| is_of_service(name)).collect(),
            workdir: Some(workdir).filter(|folder| !folder.is_empty()),
            installed: Installed::new(source, &image, installed).into_iter().collect(),
            ..Discovered::default()
        };
        let copies = if compiles { Vec::new() } else { copies };
        ReadDockerfile { found, words: [entrypoint, command].concat(), copies }
    }
}

/// Whether a variable of this name probably holds what does not belong into a manifest.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_uppercase();
    ["PASSWORD", "SECRET", "TOKEN", "CREDENTIAL", "PRIVATE", "_KEY"].iter().any(|word| name.contains(word))
}

/// The path and port of the URL in a command such as `curl -f http://localhost:8080/healthz`.
pub fn url(command: &str) -> Option<(String, u16)> {
    let rest = &command[command.find("http://")? + "http://".len()..];
    let end = rest.find(|c: char| c.is_whitespace() || "\"'|;])".contains(c)).unwrap_or(rest.len());
    let (host, path) = rest[..end].split_once('/').map_or((&rest[..end], ""), |(host, path)| (host, path));
    let port = host.rsplit_once(':').map_or(Some(80), |(_, port)| port.parse().ok())?;
    Some((format!("/{path}"), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_stage_counts() {
        let text = "FROM rust AS build\nENV CARGO_HOME=/x\nEXPOSE 1\n# a comment\nFROM debian:bookworm-slim\n\
            RUN apt-get update && \\\n    apt-get install -y --no-install-recommends libssl3 ca-certificates && rm -rf /var/lib/apt\n\
            ENV LOG=info GREETING=\"hello world\" HOME_DIR=$HOME\nENV OLD two words\nEXPOSE 8080 53/udp $PORT\n\
            HEALTHCHECK --interval=5s CMD curl -f http://localhost:8080/healthz || exit 1\n";
        let found = read(text, "Dockerfile").found;
        assert_eq!(found.ports, ["8080", "53/udp"]);
        assert_eq!(found.health, Some(("/healthz".into(), 8080)));
        let pairs = [("GREETING", "hello world"), ("LOG", "info"), ("OLD", "two words")];
        assert_eq!(found.environment, pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        assert_eq!(found.installed[0].packages, ["ca-certificates", "libssl3"]);
        assert_eq!(url("wget -q http://127.0.0.1"), Some(("/".into(), 80)));
        assert_eq!(url("pg_isready"), None);
    }

    #[test]
    fn variables_are_filled_in_and_stages_go_on() {
        let text = "FROM debian AS shared\nENV PORT=5555\nWORKDIR /srv\nFROM rust AS build\nRUN cargo build\nCOPY . .\n\
            FROM shared AS final\nARG DIST=dist\nARG TARGETARCH\nEXPOSE $PORT ${OTHER:-9000} $NOWHERE\nENV ADDRESS=0.0.0.0:${PORT}\n\
            COPY --from=build /out/web /usr/bin/web\nCOPY --chown=1:1 ./$DIST/web.toml conf/\nCOPY $DIST/$TARGETARCH/x /x\n\
            COPY [\"web files\", \"/www\"]\nENTRYPOINT [\"/usr/bin/web\", \"--verbose\"]\nCMD [\"conf/web.toml\"]\n";
        let ReadDockerfile { found, words, copies } = read(text, "Dockerfile");
        assert_eq!(found.ports, ["5555", "9000"]);
        assert_eq!(found.environment.get("ADDRESS").map(String::as_str), Some("0.0.0.0:5555"));
        assert_eq!(found.workdir.as_deref(), Some("/srv"));
        assert_eq!(words, ["/usr/bin/web", "--verbose", "conf/web.toml"]);
        let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        assert_eq!(copies, [pair("dist/web.toml", "/srv/conf/"), pair("web files", "/www")]);
    }
}
