//! CycloneDX 1.6, as JSON.

use serde_json::{Map, Value, json};

use super::bill::{Bill, Component, ComponentKind};
use crate::app::License;
use crate::digest::Digest;

/// The prefix of this tool's own properties.
pub(super) const PROPERTY: &str = "cargo-appbundle:";

/// The property of a document that says what is missing in it.
pub(super) const GAP: &str = "cargo-appbundle:incomplete";

/// Turns a bill into a document. The same bill gives the same bytes: its serial number comes from its content.
///
/// # Errors
/// When the time is not one that a calendar has.
pub fn render(bill: &Bill) -> anyhow::Result<String> {
    let root = bill.subject.id();
    let mut document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": Value::Null,
        "version": 1,
        "metadata": {
            "timestamp": super::time(bill.epoch)?,
            "lifecycles": [{ "phase": "build" }],
            "tools": { "components": [
                { "type": "application", "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") },
            ] },
            "component": component(&bill.subject),
        },
        "components": bill.components.values().map(component).collect::<Vec<_>>(),
        "dependencies": dependencies(bill),
        "compositions": [composition(bill, &root)],
    });
    if !bill.gaps.is_empty() {
        let gap = |gap: &String| json!({ "name": GAP, "value": gap });
        document["properties"] = bill.gaps.iter().map(gap).collect();
    }
    document["serialNumber"] = json!(format!("urn:uuid:{}", uuid(Digest::of(document.to_string()))));
    Ok(format!("{document:#}\n"))
}

/// A UUID of a sum, of the version for own schemes (RFC 9562, section 5.8).
fn uuid(sum: Digest) -> String {
    let hex = sum.hex();
    let digit = |at: usize| hex.as_bytes().get(at).copied().unwrap_or(b'0');
    let variant = match digit(16) {
        b'0' | b'4' | b'8' | b'c' => '8',
        b'1' | b'5' | b'9' | b'd' => '9',
        b'2' | b'6' | b'a' | b'e' => 'a',
        _ => 'b',
    };
    let part = |range: std::ops::Range<usize>| range.map(|at| char::from(digit(at))).collect::<String>();
    format!("{}-{}-8{}-{variant}{}-{}", part(0..8), part(8..12), part(13..16), part(17..20), part(20..32))
}

fn component(component: &Component) -> Value {
    let mut object = Map::new();
    let kind = match component.kind {
        ComponentKind::Application => "application",
        ComponentKind::Library | ComponentKind::Package => "library",
        ComponentKind::System => "operating-system",
        ComponentKind::File => "file",
    };
    let mut set = |name: &str, value: Value| {
        object.insert(name.to_owned(), value);
    };
    set("type", json!(kind));
    set("bom-ref", json!(component.id()));
    if let Some(supplier) = &component.supplier {
        set("supplier", json!({ "name": supplier }));
    }
    if let Some(author) = &component.author {
        set("authors", json!([{ "name": author }]));
    }
    set("name", json!(component.name));
    if let Some(version) = &component.version {
        set("version", json!(version));
    }
    if let Some(sum) = &component.sha256 {
        set("hashes", json!([{ "alg": "SHA-256", "content": sum }]));
    }
    match component.licence.as_deref().map(License::parse) {
        Some(License::Expression(expression)) => set("licenses", json!([{ "expression": expression }])),
        Some(License::Words(words)) => set("licenses", json!([{ "license": { "name": words } }])),
        None => {}
    }
    if let Some(purl) = &component.purl {
        set("purl", json!(purl));
    }
    if let Some(repository) = &component.repository {
        set("externalReferences", json!([{ "type": "vcs", "url": repository }]));
    }
    if !component.properties.is_empty() {
        let property = |(name, value): (&&str, &String)| json!({ "name": format!("{PROPERTY}{name}"), "value": value });
        set("properties", component.properties.iter().map(property).collect());
    }
    Value::Object(object)
}

/// Every component has an entry: one without `dependsOn` is known to depend on nothing.
fn dependencies(bill: &Bill) -> Value {
    let root = bill.subject.id();
    let entry = |id: &String| match bill.uses.get(id).filter(|used| !used.is_empty()) {
        Some(used) => json!({ "ref": id, "dependsOn": used }),
        None => json!({ "ref": id }),
    };
    std::iter::once(&root).chain(bill.components.keys()).map(entry).collect()
}

/// Whether all is listed. CycloneDX asks that a document says so or the opposite.
fn composition(bill: &Bill, root: &str) -> Value {
    let aggregate = if bill.gaps.is_empty() { "complete" } else { "incomplete" };
    json!({ "aggregate": aggregate, "assemblies": [root], "dependencies": [root] })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bill() -> Bill {
        let app = Component { kind: ComponentKind::Application, name: "demo".into(), ..Component::default() };
        let mut bill = Bill::of(app.clone(), 0);
        bill.add(
            &app.id(),
            Component {
                name: "one".into(),
                version: Some("1.0.0".into()),
                purl: Some("pkg:cargo/one@1.0.0".into()),
                licence: Some("MIT/Apache-2.0".into()),
                sha256: Some("ab".repeat(32)),
                ..Component::default()
            },
        );
        bill
    }

    #[test]
    fn the_serial_number_is_that_of_the_content() {
        let text = render(&bill()).expect("a document");
        assert_eq!(text, render(&bill()).expect("a document"));
        let document: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(document["components"][0]["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(document["dependencies"][0], json!({ "ref": "application:demo", "dependsOn": ["pkg:cargo/one@1.0.0"] }));
        let later = Bill { epoch: 1, ..bill() };
        let later: Value = serde_json::from_str(&render(&later).expect("a document")).expect("JSON");
        assert_ne!(later["serialNumber"], document["serialNumber"]);
        assert_eq!(later["metadata"]["timestamp"], "1970-01-01T00:00:01Z");
    }

    #[test]
    fn gaps_make_it_incomplete() {
        let bill = Bill { gaps: vec!["the crates of `alpha` are not known".into()], ..bill() };
        let document: Value = serde_json::from_str(&render(&bill).expect("a document")).expect("JSON");
        assert_eq!(document["compositions"][0]["aggregate"], "incomplete");
        assert_eq!(document["properties"][0]["value"], "the crates of `alpha` are not known");
    }

    #[test]
    fn serial_numbers_have_the_form_of_their_version() {
        let shown = uuid(Digest::of("x"));
        let fields: Vec<usize> = shown.split('-').map(str::len).collect();
        assert_eq!(fields, [8, 4, 4, 4, 12]);
        assert!(shown[14..].starts_with('8') && "89ab".contains(&shown[19..20]), "{shown}");
    }
}
