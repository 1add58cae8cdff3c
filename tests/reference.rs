//! docs/reference.md: every key of the tables, from the JSON Schema, with what each destination makes of it, from docs/reference.toml.
//!
//! `SNAPSHOTS=overwrite cargo test --test reference` writes the page anew.

mod support;

use std::fmt::Write as _;

use serde_json::Value;
use support::{appbundle, ok, repository};

type Map = serde_json::Map<String, Value>;

/// The destinations, by their keys in docs/reference.toml.
const DESTINATIONS: [(&str, &str); 6] = [
    ("image", "image, Dockerfile"),
    ("compose", "compose"),
    ("swarm", "Docker Swarm"),
    ("kubernetes", "Kubernetes"),
    ("auterionos", "AuterionOS"),
    ("run", "`run`, `dev`"),
];

const HEAD: &str = "# Reference

Every key of the two tables in `Cargo.toml`. This page is generated from the JSON Schema, which `cargo appbundle schema` prints, and
[`reference.toml`](reference.toml). A test fails when the page is out of date.

- Keys are written with dashes. Unknown keys are errors.
- *Default: none* means that the key is optional and has no effect if it is missing.
- `NAME` stands for a name of your choice.
- Durations are written like `10s`, `1m30s` or `500ms`.

";

const APP: &str = "## The app

`[workspace.metadata.appbundle]` in the root manifest, or `[package.metadata.appbundle]` in a project of a single package.
[Services and apps](guide/services.md#the-app) shows it by example.

";

const SERVICE: &str = "## A service

`[package.metadata.service]` in the manifest of each package that is a service, or `[[package.metadata.service]]` for several services from one
package. [Services and apps](guide/services.md#a-service) shows it by example. For every key, a table shows its effect at each destination:

- *image, Dockerfile*: the image, and the Dockerfile that builds the same image.
- *compose*: `generate --for compose`, and `app.yml`.
- *Docker Swarm*: `generate --for swarm`, and stacks.
- *Kubernetes*: `generate --for kubernetes`, and `deploy --to kubernetes`.
- *AuterionOS*: what the device gets.
- *`run`, `dev`*: containers on this machine.

*Set in the image* applies to services that are packages. cargo-appbundle does not build the images of Dockerfile services, of dependencies and of
others, so their keys are written to the destination's files instead.

";

#[test]
fn the_reference_is_up_to_date() {
    let schema: Value = serde_json::from_str(&ok(&mut appbundle(&repository(), &["schema"]))).expect("JSON");
    let text = std::fs::read_to_string(repository().join("docs/reference.toml")).expect("docs/reference.toml");
    let rows: toml::Table = text.parse().expect("docs/reference.toml");
    let of_service = schema["$defs"]["service"]["properties"].as_object().expect("keys");
    let mut page = HEAD.to_owned();
    page += APP;
    for (key, value, row) in joined(&schema, &rows, "app") {
        section(&mut page, key, value);
        let uses = row.as_str().unwrap_or_else(|| panic!("docs/reference.toml: `app.{key}` is not a string"));
        writeln!(page, "Used by: {uses}\n").expect("text");
        nested(&mut page, key, value, of_service);
    }
    page += SERVICE;
    for (key, value, row) in joined(&schema, &rows, "service") {
        section(&mut page, key, value);
        destinations(&mut page, key, row);
        nested(&mut page, key, value, of_service);
    }
    let page = page.trim_end().to_owned() + "\n";
    let path = repository().join("docs/reference.md");
    let expected = snapbox::Data::read_from(&path, Some(snapbox::data::DataFormat::Text));
    snapbox::assert_data_eq!(page, expected.raw());
}

/// The keys of a table with their rows: each has one, and there are no others.
fn joined<'a>(schema: &'a Value, rows: &'a toml::Table, table: &str) -> Vec<(&'a String, &'a Value, &'a toml::Value)> {
    let keys = schema["$defs"][table]["properties"].as_object().expect("keys");
    let rows = rows[table].as_table().expect("rows");
    let unknown: Vec<&String> = rows.keys().filter(|key| !keys.contains_key(*key)).collect();
    assert!(unknown.is_empty(), "docs/reference.toml: `{table}` has no keys {unknown:?}");
    let missing: Vec<&String> = keys.keys().filter(|key| !rows.contains_key(*key)).collect();
    assert!(missing.is_empty(), "docs/reference.toml: what do destinations make of {missing:?} of `{table}`?");
    keys.iter().map(|(key, value)| (key, value, &rows[key])).collect()
}

fn section(page: &mut String, key: &str, value: &Value) {
    let (what, default) = described(value);
    write!(page, "### `{key}`\n\n*Type: {}. Default: {default}.*\n\n", type_of(value)).expect("text");
    if !what.is_empty() {
        write!(page, "{what}\n\n").expect("text");
    }
    choices(page, value);
}

fn destinations(page: &mut String, key: &str, row: &toml::Value) {
    let row = row.as_table().unwrap_or_else(|| panic!("docs/reference.toml: `service.{key}` is not a table"));
    let known = |name: &String| name == "all" || DESTINATIONS.iter().any(|(destination, _)| destination == name);
    assert!(row.keys().all(known), "docs/reference.toml: an unknown destination of `service.{key}`");
    page.push_str("| destination | effect |\n| --- | --- |\n");
    let all = row.get("all").map(|all| ("all others", all));
    let own = DESTINATIONS.iter().filter_map(|(destination, shown)| Some((*shown, row.get(*destination)?)));
    let lines: Vec<(&str, &toml::Value)> = own.chain(all).collect();
    assert!(all.is_some() || lines.len() == DESTINATIONS.len(), "docs/reference.toml: `service.{key}` misses a destination");
    for (destination, text) in lines {
        writeln!(page, "| {destination} | {} |", text.as_str().expect("text")).expect("text");
    }
    page.push('\n');
}

/// The keys in a table, and in the tables in that. Those that a service has as well are named alone.
fn nested(page: &mut String, path: &str, value: &Value, service: &Map) {
    let value = plain(value);
    if let Some(keys) = value["properties"].as_object() {
        let required: Vec<&str> = value["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let (same, keys): (Vec<_>, Vec<_>) = keys.iter().partition(|(key, value)| service.get(*key) == Some(*value));
        let (same, keys) = if same.len() < 5 { (Vec::new(), same.into_iter().chain(keys).collect()) } else { (same, keys) };
        write!(page, "Keys of `{path}`:\n\n| key | type | default | meaning |\n| --- | --- | --- | --- |\n").expect("text");
        for (key, value) in &keys {
            let (what, default) = described(value);
            let choices = one_of(value).map(|(choice, what)| format!(" `{choice}`: {}", on_one_line(what))).collect::<String>();
            let default = if required.contains(&key.as_str()) { "required" } else { &default };
            writeln!(page, "| `{key}` | {} | {default} | {what}{choices} |", type_of(value)).expect("text");
        }
        page.push('\n');
        if !same.is_empty() {
            let links: Vec<String> = same.iter().map(|(key, _)| format!("[`{key}`](#{})", anchor(page, key))).collect();
            write!(page, "`{path}` also has these keys of a service: {}.\n\n", links.join(", ")).expect("text");
        }
        keys.iter().for_each(|(key, value)| nested(page, &format!("{path}.{key}"), value, service));
    } else if value["additionalProperties"].is_object() {
        nested(page, &format!("{path}.NAME"), &value["additionalProperties"], service);
    } else if value["items"].is_object() {
        nested(page, path, &value["items"], service);
    } else {
        let tables = value["anyOf"].as_array().into_iter().flatten().filter(|one| one["properties"].is_object());
        tables.for_each(|table| nested(page, path, table, service));
    }
}

/// The anchor of a key in the second part of the page: the first part may have a heading of that name, too.
fn anchor(page: &str, key: &str) -> String {
    let app = page.split("## A service").next().unwrap_or_default();
    let twice = app.contains(&format!("\n### `{key}`\n"));
    if twice { format!("{key}-1") } else { key.to_owned() }
}

/// Without the `null` by which a schema says that a key can be left out.
fn plain(value: &Value) -> &Value {
    match value["anyOf"].as_array().map(Vec::as_slice) {
        Some([only, null]) if null["type"] == "null" => only,
        _ => value,
    }
}

fn type_of(value: &Value) -> String {
    let value = plain(value);
    if let Some(list) = value["anyOf"].as_array().or_else(|| value["oneOf"].as_array()) {
        let mut all: Vec<String> = list.iter().map(type_of).collect();
        all.dedup();
        let last = all.pop().expect("a type");
        return if all.is_empty() { last } else { format!("{} or {last}", all.join(", ")) };
    }
    if let Some(choice) = value["const"].as_str() {
        return format!("`\"{choice}\"`");
    }
    let name = value["type"].as_str().or_else(|| value["type"][0].as_str()).expect("a type");
    match name {
        "array" => format!("list of ({})", type_of(&value["items"])).replace("(string)", "strings").replace("(table)", "tables"),
        "object" if value["additionalProperties"].is_object() => {
            let inner = type_of(&value["additionalProperties"]);
            format!("table of ({inner}) by name").replace("(string)", "strings").replace("(table)", "tables")
        }
        "object" if value["properties"].is_object() => "table".to_owned(),
        "object" => "table of anything".to_owned(),
        other => other.to_owned(),
    }
}

/// What a key means, and its default, which a description says after `Default: `.
fn described(value: &Value) -> (String, String) {
    let text = on_one_line(value["description"].as_str().unwrap_or_default());
    let (what, default) = text.split_once("Default: ").unwrap_or((&text, ""));
    let (default, more) = default.split_once(". ").unwrap_or((default, ""));
    let default = match default.trim_end_matches('.') {
        "" if value["default"] == false => "`false`",
        "" => "none",
        default => default,
    };
    (format!("{} {more}", what.trim()).trim().to_owned(), default.to_owned())
}

fn on_one_line(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}

/// The words that a key can be, and what each means.
fn one_of(value: &Value) -> impl Iterator<Item = (&str, &str)> {
    let value = plain(value);
    let list = if value["items"].is_object() { &value["items"]["oneOf"] } else { &value["oneOf"] };
    let list = list.as_array().into_iter().flatten();
    list.filter_map(|one| Some((one["const"].as_str()?, one["description"].as_str()?)))
}

fn choices(page: &mut String, value: &Value) {
    let before = page.len();
    for (choice, what) in one_of(value) {
        writeln!(page, "- `\"{choice}\"`: {}", on_one_line(what)).expect("text");
    }
    if page.len() > before {
        page.push('\n');
    }
}
