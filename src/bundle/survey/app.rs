//! `auterion-app.yml` and `app.yml` as a payload has them (`docs/file-format.md`, sections 4.1, 4.2 and 4.6).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::app::{Device, auterion_values as values};
use crate::mender::Faults;

/// Keys at the top, and the API version that brought them.
const TOP: [(&str, u64); 14] = [
    ("auterion-api-version", 1),
    ("auterion-app-base", 1),
    ("app-name", 1),
    ("app-author", 1),
    ("app-version", 1),
    ("target-platform", 1),
    ("services", 1),
    ("compose-override", 1),
    ("system-app", 2),
    ("dependencies", 2),
    ("logging", 3),
    ("mission-executor", 6),
    ("parameters", 6),
    ("suite-id", 8),
];

/// Keys of a service, and the API version that brought them.
const SERVICE: [(&str, u64); 7] =
    [("build", 1), ("image", 1), ("http", 2), ("ssh", 2), ("build-args", 3), ("networking", 5), ("mountsets", 7)];

/// The newest API version that is known.
const NEWEST: u64 = 8;

/// What the app file says, as far as it could be read.
#[derive(Debug, Default)]
pub struct DeclaredApp {
    /// `auterion-api-version`
    pub api_version: Option<u64>,
    /// `auterion-app-base`, unless `none`.
    pub base: Option<String>,
    /// `app-name`
    pub name: Option<String>,
    /// `app-author`
    pub author: Option<String>,
    /// `app-version`
    pub version: Option<String>,
    /// `target-platform`
    pub platforms: Vec<String>,
    /// Per service, the image that it says it has; `None` for one with `build`.
    pub services: BTreeMap<String, Option<String>>,
}

impl DeclaredApp {
    /// Text to facts, with every fault on the way.
    pub fn parse(text: &str, faults: &mut Faults) -> Self {
        let mut app = Self::default();
        if text.contains("#VERSION#") {
            faults.add("`#VERSION#` was not replaced");
        }
        let file = match yaml(text) {
            Ok(file) => file,
            Err(error) => {
                faults.add(error);
                return app;
            }
        };
        match file.get("auterion-api-version").map(|value| (value, value.as_u64())) {
            None => faults.add("`auterion-api-version` is missing"),
            Some((_, Some(version))) if (1..=NEWEST).contains(&version) => app.api_version = Some(version),
            Some((value, _)) => faults.add(format!("`auterion-api-version` is {value}, but must be 1 to {NEWEST}")),
        }
        known(&file, "", &TOP, app.api_version, faults);
        app.name = form(&file, "app-name", "`[a-z0-9_-]+`", is_name, faults);
        app.author = form(&file, "app-author", "a reverse domain in lower case", is_author, faults);
        let version = "letters, digits, `_`, `.` and `-`, as in an image's tag";
        app.version = form(&file, "app-version", version, is_tag, faults);
        let base = form(&file, "auterion-app-base", "`none`, or `v` and digits", is_base, faults);
        app.base = base.filter(|base| base != "none");
        values::check(&file, faults);
        app.platforms(&file, faults);
        app.services(&file, faults);
        app
    }

    /// `AUTHOR.NAME`
    pub fn slug(&self) -> Option<String> {
        Some(format!("{}.{}", self.author.as_ref()?, self.name.as_ref()?))
    }

    fn platforms(&mut self, file: &Map<String, Value>, faults: &mut Faults) {
        let list = match file.get("target-platform") {
            Some(Value::String(one)) => Some(vec![one.clone()]),
            Some(Value::Array(list)) => list.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
            _ => None,
        };
        match list {
            Some(list) if !list.is_empty() => self.platforms = list,
            _ => faults.add("`target-platform` is not a device or a list of devices"),
        }
        for name in self.platforms.iter().filter(|name| Device::named(name).is_none()) {
            faults.add(format!("`{}` of `target-platform` is not a device", name.escape_debug()));
        }
    }

    fn services(&mut self, file: &Map<String, Value>, faults: &mut Faults) {
        let Some(services) = file.get("services").and_then(Value::as_object).filter(|services| !services.is_empty()) else {
            faults.add("`services` is not a map of at least one service");
            return;
        };
        for (name, service) in services {
            if !is_name(name) {
                faults.add(format!("service `{}`: the name does not match `[a-z0-9_-]+`", name.escape_debug()));
            }
            let empty = Map::new();
            let service = service.as_object().unwrap_or(&empty);
            known(service, &format!("service `{name}`: "), &SERVICE, self.api_version, faults);
            values::check_service(name, service, faults);
            let image = match (service.get("build"), service.get("image")) {
                (Some(build), None) => {
                    if !build.is_string() {
                        faults.add(format!("service `{name}`: `build` is not the path of a folder"));
                    }
                    None
                }
                (None, Some(Value::String(image))) => Some(image.clone()),
                (None, Some(_)) => {
                    faults.add(format!("service `{name}`: `image` is not a string"));
                    None
                }
                _ => {
                    faults.add(format!("service `{name}`: it must have exactly one of `build` and `image`"));
                    None
                }
            };
            self.services.insert(name.clone(), image);
        }
        let Some(over) = file.get("compose-override") else { return };
        let Some(over) = over.as_object() else { return faults.add("`compose-override` is not a map") };
        let services = over.get("services").and_then(Value::as_object);
        for (name, service) in services.into_iter().flatten() {
            let Some(image) = self.services.get_mut(name) else {
                faults.add(format!("`compose-override` names the service `{}`, which is not in `services`", name.escape_debug()));
                continue;
            };
            if let Some(other) = service.get("image").and_then(Value::as_str) {
                *image = Some(other.to_owned());
            }
        }
    }
}

/// `app.yml`: the image of each service, with every fault and note on the way. `built` says that it was written for API 1.
pub fn compose(text: &str, built: bool, faults: &mut Faults, notes: &mut Faults) -> BTreeMap<String, Option<String>> {
    let mut images = BTreeMap::new();
    if text.contains("#VERSION#") {
        faults.add("`#VERSION#` was not replaced");
    }
    let file = match yaml(text) {
        Ok(file) => file,
        Err(error) => {
            faults.add(error);
            return images;
        }
    };
    if built && file.contains_key("version") {
        faults.add("the key `version` is not allowed");
    }
    let Some(services) = file.get("services").and_then(Value::as_object).filter(|services| !services.is_empty()) else {
        faults.add("`services` is not a map of at least one service");
        return images;
    };
    for (name, service) in services {
        let has = |key: &str| service.get(key).is_some();
        for key in ["build", "platform"] {
            if built && has(key) {
                faults.add(format!("service `{name}`: `{key}` is not allowed"));
            }
        }
        let unset = ["container_name", "restart", "network_mode", "env_file"].into_iter().filter(|key| !has(key));
        let unset: Vec<String> = unset.map(|key| format!("`{key}`")).collect();
        if built && !unset.is_empty() {
            let name = name.escape_debug();
            notes.add(format!("service `{name}` does not set {}: the device's defaults apply", unset.join(", ")));
        }
        let image = service.get("image").and_then(Value::as_str).map(str::to_owned);
        if image.is_none() {
            faults.add(format!("service `{name}`: `image` is missing"));
        }
        images.insert(name.clone(), image);
    }
    images
}

fn yaml(text: &str) -> Result<Map<String, Value>, String> {
    match serde_saphyr::from_str::<Value>(text) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err("it is not a map".to_owned()),
        Err(error) => Err(format!("it is not valid YAML: {}", error.to_string().lines().next().unwrap_or_default())),
    }
}

fn known(map: &Map<String, Value>, place: &str, keys: &[(&str, u64)], api: Option<u64>, faults: &mut Faults) {
    for key in map.keys() {
        match keys.iter().find(|(name, _)| name == key) {
            None => faults.add(format!("{place}unknown key `{}`", key.escape_debug())),
            Some((_, since)) if api.is_some_and(|api| api < *since) => {
                faults.add(format!("{place}`{key}` needs `auterion-api-version: {since}`"));
            }
            Some(_) => {}
        }
    }
}

fn form(map: &Map<String, Value>, key: &str, form: &str, fits: fn(&str) -> bool, faults: &mut Faults) -> Option<String> {
    match map.get(key) {
        None => faults.add(format!("`{key}` is missing")),
        Some(Value::String(text)) if fits(text) => return Some(text.clone()),
        Some(Value::String(text)) => faults.add(format!("`{key}` is `{}`, but must be {form}", text.escape_debug())),
        Some(value) => faults.add(format!("`{key}` must be a string: put {value} in quotes")),
    }
    None
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'))
}

fn is_author(text: &str) -> bool {
    let mut parts = text.split('.');
    let first = parts.next().unwrap_or_default();
    !first.is_empty()
        && first.chars().all(|c| c.is_ascii_lowercase())
        && parts.all(|part| part.starts_with(|c: char| c.is_ascii_lowercase()) && is_name(part))
}

fn is_tag(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    text.len() <= 128 && text.chars().all(allowed) && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
}

fn is_base(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    text == "none" || text.strip_prefix('v').is_some_and(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        let mut faults = Faults::default();
        DeclaredApp::parse(text, &mut faults);
        faults.into_vec()
    }

    #[test]
    fn hostile_yaml_is_a_fault() {
        let anchors: String = (1..30).map(|n| format!("a{n}: &a{n} [*a{0}, *a{0}, *a{0}]\n", n - 1)).collect();
        for text in ["[".repeat(5_000), "- ".repeat(5_000), "{a: ".repeat(5_000), format!("a0: &a0 x\n{anchors}")] {
            assert!(faults(&text).iter().any(|fault| fault.starts_with("it is not valid YAML")));
        }
    }

    #[test]
    fn the_override_of_an_image_wins() {
        let text = "services: {a: {build: x}}\ncompose-override: {services: {a: {image: 'y:1'}}}";
        let app = DeclaredApp::parse(text, &mut Faults::default());
        assert_eq!(app.services["a"].as_deref(), Some("y:1"));
    }
}
