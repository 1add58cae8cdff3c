//! What a Dockerfile says of the image that it makes.

use std::collections::BTreeMap;

use super::apt::{Installed, packages};
use super::discovered::Discovered;
use crate::app::Port;

/// Variables that are about building, and not about the service.
const OF_BUILDS: [&str; 5] = ["PATH", "DEBIAN_FRONTEND", "CARGO_HOME", "RUSTUP_HOME", "CARGO_TARGET_DIR"];

/// Reads the last stage, which makes the image. `source` is the file's path, relative to the workspace.
pub fn read(text: &str, source: &str) -> Discovered {
    let mut found = Discovered::default();
    let (mut image, mut installed) = (String::new(), Vec::new());
    for line in instructions(text) {
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((&line, ""));
        match word.to_ascii_uppercase().as_str() {
            "FROM" => {
                found = Discovered::default();
                image = rest.split_whitespace().find(|word| !word.starts_with("--")).unwrap_or_default().to_owned();
                installed.clear();
            }
            "EXPOSE" => found.ports.extend(rest.split_whitespace().filter(|port| Port::parse(port).is_ok()).map(str::to_owned)),
            "ENV" => found.environment.extend(variables(rest)),
            "HEALTHCHECK" => found.health = url(rest),
            "RUN" => installed.extend(packages(rest)),
            _ => {}
        }
    }
    found.installed.extend(Installed::new(source, &image, installed));
    // What the image's own variables or build arguments fill in is not known here.
    found.environment.retain(|name, value| !OF_BUILDS.contains(&name.as_str()) && !value.contains('$') && !is_secret(name));
    found
}

/// Whether a variable of this name probably holds what does not belong into a manifest.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_uppercase();
    ["PASSWORD", "SECRET", "TOKEN", "CREDENTIAL", "PRIVATE", "_KEY"].iter().any(|word| name.contains(word))
}

/// The instructions, each on one line.
fn instructions(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut open = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        match line.strip_suffix('\\') {
            Some(part) => open += &format!("{part} "),
            None => all.push(std::mem::take(&mut open) + line),
        }
    }
    all.push(open);
    all
}

/// `A=1 B="two words"`, or the old form `A two words`.
fn variables(text: &str) -> BTreeMap<String, String> {
    let words = crate::process::split(text).unwrap_or_default();
    let pairs: Option<Vec<(String, String)>> =
        words.iter().map(|word| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))).collect();
    match (pairs, text.split_once(char::is_whitespace)) {
        (Some(pairs), _) => pairs.into_iter().collect(),
        (None, Some((name, value))) => BTreeMap::from([(name.to_owned(), value.trim().to_owned())]),
        (None, None) => BTreeMap::new(),
    }
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
        let found = read(text, "Dockerfile");
        assert_eq!(found.ports, ["8080", "53/udp"]);
        assert_eq!(found.health, Some(("/healthz".into(), 8080)));
        let pairs = [("GREETING", "hello world"), ("LOG", "info"), ("OLD", "two words")];
        assert_eq!(found.environment, pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        assert_eq!(found.installed[0].packages, ["ca-certificates", "libssl3"]);
        assert_eq!(url("wget -q http://127.0.0.1"), Some(("/".into(), 80)));
        assert_eq!(url("pg_isready"), None);
    }
}
