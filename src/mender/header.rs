//! `header.tar`: what the artifact is and what it fits (`docs/file-format.md`, sections 2.4 and 2.7).

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use serde_json::{Map, Value};

use super::Faults;
use crate::archive::TarReader;

/// Bytes of one document in the header.
const LARGEST: u64 = 4 << 20;

/// What the header says, as far as it could be read.
#[derive(Clone, Debug, Default)]
pub struct Header {
    /// `artifact_name`
    pub name: Option<String>,
    /// `artifact_group`
    pub group: Option<String>,
    /// `device_type`: what the artifact may be installed on.
    pub device_types: Vec<String>,
    /// The type of each payload as header-info has it.
    pub payload_types: Vec<String>,
    /// `artifact_provides` of type-info.
    pub provides: BTreeMap<String, String>,
    /// `clears_artifact_provides` of type-info.
    pub clears: Vec<String>,
    /// meta-data.
    pub meta_data: Option<Map<String, Value>>,
    /// The type that type-info has.
    type_info: Option<String>,
}

/// The members in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Info,
    Script,
    TypeInfo,
    MetaData,
}

impl Part {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "header-info" => Self::Info,
            "headers/0000/type-info" => Self::TypeInfo,
            "headers/0000/meta-data" => Self::MetaData,
            name if name.strip_prefix("scripts/").is_some_and(|rest| !rest.is_empty() && !rest.contains('/')) => Self::Script,
            _ => return None,
        })
    }
}

impl Header {
    /// Reads the unpacked tar; says whether it came to its end.
    pub fn read(&mut self, tar: impl Read, faults: &mut Faults) -> bool {
        let mut tar = TarReader::new(tar);
        let mut seen = BTreeSet::new();
        let mut last: Option<Part> = None;
        let mut first = true;
        loop {
            let entry = match tar.next_entry() {
                Ok(Some(entry)) => entry,
                Ok(None) => break,
                Err(error) => {
                    faults.add(format!("{error:#}"));
                    return false;
                }
            };
            if entry.kind.is_dir() {
                continue;
            }
            if std::mem::take(&mut first) && entry.path != "header-info" {
                faults.add(format!("its first member is `{}` instead of `header-info`", entry.path));
            }
            let Some(part) = Part::of(&entry.path) else {
                faults.add(format!("`{}` is not allowed", entry.path));
                continue;
            };
            if !entry.kind.is_file() {
                faults.add(format!("`{}` is not a plain file", entry.path));
                continue;
            }
            if part != Part::Script && !seen.insert(part) {
                faults.add(format!("`{}` occurs twice", entry.path));
                continue;
            }
            if last.is_some_and(|last| last > part) {
                faults.add(format!("`{}` is out of order; the order is header-info, scripts, type-info, meta-data", entry.path));
            }
            last = last.max(Some(part));
            if part == Part::Script {
                faults.add(format!(
                    "`{}` is a state script, which would run on the device: apps must not have one",
                    entry.path.escape_debug()
                ));
                continue;
            }
            if entry.size > LARGEST {
                faults.add(format!("`{}` has {} bytes; at most {LARGEST} are allowed", entry.path, entry.size));
                continue;
            }
            let mut bytes = Vec::new();
            if let Err(error) = tar.read_to_end(&mut bytes) {
                faults.add(format!("{error:#}"));
                return false;
            }
            self.document(part, &entry.path, &bytes, faults);
        }
        for (part, name) in
            [(Part::Info, "header-info"), (Part::TypeInfo, "headers/0000/type-info"), (Part::MetaData, "headers/0000/meta-data")]
        {
            if !seen.contains(&part) {
                faults.add(format!("`{name}` is missing"));
            }
        }
        if let (Some(inner), [outer]) = (&self.type_info, &self.payload_types[..])
            && inner != outer
        {
            faults.add(format!("type-info has the type `{inner}`, but header-info has `{outer}`"));
        }
        super::part::end(&mut tar, faults)
    }

    fn document(&mut self, part: Part, name: &str, bytes: &[u8], faults: &mut Faults) {
        if bytes.is_empty() {
            faults.add(format!("`{name}` is empty"));
            return;
        }
        let object = match serde_json::from_slice(bytes) {
            Ok(Value::Object(object)) => object,
            Ok(_) => return faults.add(format!("`{name}` is not a JSON object")),
            Err(error) => return faults.add(format!("`{name}` is not JSON: {error}")),
        };
        match part {
            Part::Info => self.info(&object, faults),
            Part::TypeInfo => self.type_info(&object, faults),
            Part::MetaData => {
                for (key, value) in &object {
                    let plain = |value: &Value| value.is_string() || value.is_number();
                    if !plain(value) && !value.as_array().is_some_and(|list| list.iter().all(plain)) {
                        faults.add(format!("`{key}` of meta-data is not a string, a number, or a list of them"));
                    }
                }
                self.meta_data = Some(object);
            }
            Part::Script => {}
        }
    }

    fn info(&mut self, info: &Map<String, Value>, faults: &mut Faults) {
        only(info, "header-info", &["payloads", "artifact_provides", "artifact_depends"], faults);
        match info.get("payloads").and_then(Value::as_array) {
            None => faults.add("header-info has no `payloads` list"),
            Some(payloads) => {
                if payloads.len() != 1 {
                    faults.add(format!("header-info has {} payloads instead of one", payloads.len()));
                }
                for payload in payloads.iter().take(16) {
                    match payload.get("type").and_then(Value::as_str) {
                        Some(kind) => self.payload_types.push(kind.to_owned()),
                        None => faults.add("a payload of header-info has no type"),
                    }
                    if let Some(payload) = payload.as_object() {
                        only(payload, "`payloads` of header-info", &["type"], faults);
                    }
                }
            }
        }
        match info.get("artifact_provides").and_then(Value::as_object) {
            None => faults.add("header-info has no `artifact_provides` object"),
            Some(provides) => {
                only(provides, "`artifact_provides` of header-info", &["artifact_name", "artifact_group"], faults);
                match provides.get("artifact_name").and_then(Value::as_str) {
                    None => faults.add("header-info has no `artifact_name`"),
                    Some(name) => {
                        printable("artifact_name", name, faults);
                        if name.contains(char::is_whitespace) {
                            faults.add(format!("`artifact_name` `{}` contains white space", name.escape_debug()));
                        }
                        self.name = Some(name.to_owned());
                    }
                }
                if let Some(group) = provides.get("artifact_group") {
                    match group.as_str() {
                        Some(group) => {
                            printable("artifact_group", group, faults);
                            self.group = Some(group.to_owned());
                        }
                        None => faults.add("`artifact_group` is not a string"),
                    }
                }
            }
        }
        match info.get("artifact_depends").and_then(Value::as_object) {
            None => faults.add("header-info has no `artifact_depends` object"),
            Some(depends) => {
                let known = ["device_type", "artifact_name", "artifact_group"];
                only(depends, "`artifact_depends` of header-info", &known, faults);
                match depends.get("device_type").and_then(strings).filter(|list| !list.is_empty()) {
                    None => faults.add("`artifact_depends` of header-info has no `device_type` list with at least one device"),
                    Some(devices) => {
                        for device in &devices {
                            printable("device_type", device, faults);
                        }
                        self.device_types = devices;
                    }
                }
                for key in &known[1..] {
                    if depends.get(*key).is_some_and(|value| strings(value).is_none()) {
                        faults.add(format!("`{key}` in `artifact_depends` of header-info is not a list of strings"));
                    }
                }
            }
        }
    }

    fn type_info(&mut self, info: &Map<String, Value>, faults: &mut Faults) {
        only(info, "type-info", &["type", "artifact_provides", "artifact_depends", "clears_artifact_provides"], faults);
        match info.get("type").and_then(Value::as_str) {
            Some(kind) => self.type_info = Some(kind.to_owned()),
            None => faults.add("type-info has no `type`"),
        }
        for section in ["artifact_provides", "artifact_depends"] {
            let Some(value) = info.get(section) else { continue };
            let Some(object) = value.as_object() else {
                faults.add(format!("`{section}` of type-info is not an object"));
                continue;
            };
            for (key, value) in object {
                if matches!(key.as_str(), "artifact_name" | "artifact_group" | "device_type") {
                    faults.add(format!("`{section}` of type-info repeats `{key}` of header-info"));
                }
                match value.as_str() {
                    Some(text) if section == "artifact_provides" => drop(self.provides.insert(key.clone(), text.to_owned())),
                    Some(_) => {}
                    None if section == "artifact_depends" && strings(value).is_some() => {}
                    None => faults.add(format!("`{key}` in `{section}` of type-info is not a string")),
                }
            }
        }
        if let Some(value) = info.get("clears_artifact_provides") {
            match strings(value) {
                Some(list) => self.clears = list,
                None => faults.add("`clears_artifact_provides` of type-info is not a list of strings"),
            }
        }
    }
}

fn only(object: &Map<String, Value>, place: &str, known: &[&str], faults: &mut Faults) {
    for key in object.keys().filter(|key| !known.contains(&key.as_str())) {
        faults.add(format!("{place} has the unknown key `{key}`"));
    }
}

fn strings(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

fn printable(key: &str, value: &str, faults: &mut Faults) {
    if value.is_empty() {
        faults.add(format!("`{key}` is empty"));
    }
    if value.len() > 256 {
        faults.add(format!("`{key}` has {} bytes; at most 256 are allowed", value.len()));
    }
    if value.chars().any(char::is_control) {
        faults.add(format!("`{key}` `{}` contains unprintable characters", value.escape_debug()));
    }
}
