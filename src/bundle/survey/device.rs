//! What an artifact says of itself to devices and tools (`docs/file-format.md`, sections 2.4, 4.2 and 4.3).

use std::collections::BTreeSet;

use serde_json::Value;

use super::app::DeclaredApp;
use super::report::Survey;
use crate::app::Device;
use crate::mender::{Faults, Reading};

/// The text under `auterion-metadata` (section 2.4).
pub fn metadata(reading: &Reading, app: Option<&DeclaredApp>, survey: &mut Survey, faults: &mut Faults) {
    let Some(meta_data) = &reading.header.meta_data else { return };
    let object = match meta_data.get("auterion-metadata").map(|value| (value, value.as_str())) {
        Some((_, Some(text))) => match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(object)) => object,
            _ => return faults.add("`auterion-metadata` is not the text of a JSON object"),
        },
        Some(_) => return faults.add("`auterion-metadata` is not a string"),
        None => {
            if app.is_some() {
                faults.add("meta-data has no `auterion-metadata`");
            }
            meta_data.clone()
        }
    };
    let text = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
    survey.made_by = text("cli-version");
    survey.made_at = text("build-time");
    let Some(app) = app else { return };
    let Some(described) = object.get("auterion-app-yml").and_then(Value::as_object) else {
        if meta_data.contains_key("auterion-metadata") {
            faults.add("`auterion-metadata` has no `auterion-app-yml`");
        }
        return;
    };
    for (key, value) in [("app-name", &app.name), ("app-author", &app.author), ("app-version", &app.version)] {
        if value.is_some() && described.get(key).and_then(Value::as_str) != value.as_deref() {
            faults.add(format!("`{key}` differs between `auterion-metadata` and the payload"));
        }
    }
    // There it is as the author wrote it; up to API 4 the payload's says skynode alone (section 4.2).
    let written = described.get("target-platform").map(|one| one.as_array().map_or(std::slice::from_ref(one), Vec::as_slice));
    let device = |name: &Value| name.as_str().and_then(Device::named).map(|device| device.device_type);
    let devices: BTreeSet<Option<&str>> = written.into_iter().flatten().map(device).collect();
    if written.is_some() && devices != reading.header.device_types.iter().map(|name| Some(name.as_str())).collect() {
        faults.add("`target-platform` of `auterion-metadata` differs from the header's devices");
    }
    let services = described.get("services").and_then(Value::as_object);
    let names: BTreeSet<&String> = services.into_iter().flat_map(|services| services.keys()).collect();
    if names != app.services.keys().collect() {
        faults.add("`auterion-metadata` and the payload list different services");
    }
}

/// Device types against the table and the app file; gives what the images have to run on (sections 4.2 and 4.3).
pub fn types(reading: &Reading, app: Option<&DeclaredApp>, faults: &mut Faults) -> Option<&'static str> {
    let types = &reading.header.device_types;
    let mut architectures = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for name in types {
        if !seen.insert(name) {
            faults.add(format!("the device type `{}` occurs twice", name.escape_debug()));
        }
        match Device::of_type(name) {
            Some(device) => drop(architectures.insert(device.architecture)),
            None => faults.add(format!("unknown device type `{}`", name.escape_debug())),
        }
    }
    if architectures.len() > 1 {
        faults.add("the device types mix architectures");
        return None;
    }
    if let Some(app) = app {
        let simulated = types.as_slice() == ["simulation"];
        if app.api_version.is_some_and(|api| api <= 4) {
            if app.platforms != ["skynode"] && !(simulated && app.platforms == ["simulation"]) {
                faults.add("`auterion-app.yml`: up to API 4, `target-platform` must be `[skynode]`");
            }
        } else if app.api_version.is_some() {
            let mapped: BTreeSet<&str> =
                app.platforms.iter().filter_map(|name| Device::named(name)).map(|device| device.device_type).collect();
            if mapped != types.iter().map(String::as_str).collect() {
                faults.add("`auterion-app.yml`: `target-platform` differs from the header's devices");
            }
        }
    }
    architectures.pop_first()
}
