//! Looks for what Dockerfiles, compose files and systemd units say of a service.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::apt::Installed;
use super::discovered::Discovered;
use super::dockerfile;
use super::launch::arguments;
use super::starters::{Starters, shown};
use crate::app::Port;

/// The names under which compose files are found.
const COMPOSE: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/// Reads what the files around a service say of it: `names` are those under which a compose file may have it, its executable's first,
/// `folder` is that of its package, and `alone` says whether it is the workspace's only service, of which a Dockerfile at the root speaks.
pub fn discover(root: &Path, folder: &Path, names: &[&str], alone: bool, starters: &Starters) -> Discovered {
    let mut found = Discovered::default();
    let bin = names.first().copied().unwrap_or_default();
    if let Some((of_unit, source)) = starters.unit(bin) {
        found.merge(of_unit, &source);
    }
    let at_root = root.join("Dockerfile");
    let mut files = vec![folder.join("Dockerfile")];
    files
        .extend(names.iter().flat_map(|name| [root.join(format!("Dockerfile.{name}")), root.join(format!("{name}.Dockerfile"))]));
    files.extend((alone && folder != root).then_some(at_root));
    if !files.iter().any(|file| file.exists()) {
        files.extend(starters.dockerfile(bin).map(Path::to_owned));
    }
    for file in files {
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let source = shown(root, &file);
        let image = dockerfile::read(&text, &source);
        let args = arguments(&image.words, bin).unwrap_or_default().to_vec();
        let files = copied(root, file.parent().unwrap_or(root), bin, &image.copies);
        let files = files.into_iter().map(|(from, to)| (seen_from(root, folder, &from), to)).collect();
        found.merge(Discovered { args, files, ..image.found }, &source);
    }
    for file in COMPOSE.map(|name| root.join(name)) {
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        // A file that is wrong is not for us to judge.
        let Ok(serde_json::Value::Object(document)) = serde_saphyr::from_str(&text) else { continue };
        let services = document.get("services").and_then(|services| services.as_object());
        let Some(service) = services.and_then(|services| names.iter().find_map(|name| services.get(*name))) else { continue };
        found.merge(of_compose(service), &shown(root, &file));
    }
    found
}

/// The files of the workspace that a Dockerfile copies, where they are: its context is the workspace, or its own folder. What is made
/// while building is not there yet; sources and the executable are not for the image.
fn copied(root: &Path, folder: &Path, bin: &str, copies: &[(String, String)]) -> Vec<(PathBuf, String)> {
    let is_source = |path: &Path| path.join("Cargo.toml").exists() || path.extension().is_some_and(|ending| ending == "rs");
    let is_of_cargo =
        |path: &Path| path.file_name().is_some_and(|name| name == bin || name == "Cargo.toml" || name == "Cargo.lock");
    let mut files = Vec::new();
    for (from, to) in copies.iter().filter(|(from, _)| !from.is_empty() && from != "." && !from.contains("..")) {
        let found = [root, folder].map(|context| context.join(from)).into_iter().find(|path| path.exists());
        let Some(path) = found.filter(|path| !is_source(path) && !is_of_cargo(path)) else { continue };
        if path.is_file() || path.is_dir() {
            files.push((path, to.clone()));
        }
    }
    files
}

/// A path as a manifest in a folder has it.
fn seen_from(root: &Path, folder: &Path, file: &Path) -> String {
    if let Ok(below) = file.strip_prefix(folder) {
        return below.display().to_string();
    }
    let depth = folder.strip_prefix(root).map_or(0, |folder| folder.components().count());
    "../".repeat(depth) + &shown(root, file)
}

/// What the Dockerfiles at the root of a workspace install.
pub fn installed(root: &Path) -> Vec<Installed> {
    let read = |name| std::fs::read_to_string(root.join(name)).ok().map(|text| dockerfile::read(&text, name).found.installed);
    ["Dockerfile.base", "Dockerfile"].into_iter().filter_map(read).flatten().collect()
}

fn of_compose(service: &serde_json::Value) -> Discovered {
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let list = |key: &str| service.get(key).and_then(|list| list.as_array()).into_iter().flatten();
    let ports = list("ports").chain(list("expose")).map(text).filter(|port| Port::parse(port).is_ok()).collect();
    let mut environment: BTreeMap<String, String> = list("environment")
        .filter_map(|pair| pair.as_str()?.split_once('='))
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    let table = service.get("environment").and_then(|table| table.as_object()).into_iter().flatten();
    environment.extend(table.filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), text(value))));
    // What compose would fill in is not known here, and passwords do not belong into a manifest.
    environment.retain(|name, value| !value.contains('$') && !dockerfile::is_secret(name));
    let test = service.get("healthcheck").and_then(|check| check.get("test"));
    let words = test.map(|test| match test.as_array() {
        Some(words) => words.iter().map(text).collect::<Vec<_>>().join(" "),
        None => text(test),
    });
    let health = words.and_then(|words| dockerfile::url(&words));
    Discovered { ports, health, environment, ..Discovered::default() }
}
