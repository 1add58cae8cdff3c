//! SPDX 2.3, as JSON.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::bill::{Bill, Component, ComponentKind};
use crate::app::License;
use crate::digest::Digest;

const UNKNOWN: &str = "NOASSERTION";

/// Turns a bill into a document. The same bill gives the same bytes: its namespace comes from its content.
///
/// # Errors
/// When the time is not one that a calendar has.
pub fn render(bill: &Bill) -> anyhow::Result<String> {
    let root = bill.subject.id();
    let ids: BTreeMap<&str, String> =
        std::iter::once(root.as_str()).chain(bill.components.keys().map(String::as_str)).map(|id| (id, identifier(id))).collect();
    let all = std::iter::once((&root, &bill.subject)).chain(&bill.components);
    let packages: Vec<Value> = all.map(|(id, component)| package(&identifier(id), component)).collect();
    let relation = |one: &str, kind: &str, other: &str| json!({ "spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other });
    let mut relations = vec![relation("SPDXRef-DOCUMENT", "DESCRIBES", &identifier(&root))];
    for (user, used) in &bill.uses {
        let user = ids.get(user.as_str());
        let edges = used.iter().filter_map(|used| Some((user?, ids.get(used.as_str())?, bill.components.get(used)?)));
        relations.extend(edges.map(|(user, used, component)| match component.kind {
            ComponentKind::Application | ComponentKind::File => relation(user, "CONTAINS", used),
            _ => relation(user, "DEPENDS_ON", used),
        }));
    }
    let mut document = json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": bill.subject.name,
        "documentNamespace": Value::Null,
        "creationInfo": {
            "created": super::time(bill.epoch)?,
            "creators": [format!("Tool: {}-{}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))],
        },
        "packages": packages,
        "relationships": relations,
    });
    if !bill.gaps.is_empty() {
        document["comment"] = json!(format!("Incomplete: {}.", bill.gaps.join("; ")));
    }
    // Identifies the document; nothing is there.
    let sum = Digest::of(document.to_string()).hex();
    document["documentNamespace"] = json!(format!("https://spdx.org/spdxdocs/{}-{sum}", plain(&bill.subject.name)));
    Ok(format!("{document:#}\n"))
}

/// Letters, digits, `.` and `-`: what an identifier may have (SPDX 2.3, section 7.2).
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_ascii_alphanumeric() || letter == '.' { letter } else { '-' }).collect()
}

/// Of a component's id. Those that differ in letters that identifiers lack differ in their sums.
fn identifier(id: &str) -> String {
    let sum = Digest::of(id).hex();
    format!("SPDXRef-{}-{}", plain(id), sum.get(..8).unwrap_or_default())
}

fn package(id: &str, component: &Component) -> Value {
    let mut object = Map::new();
    let mut set = |name: &str, value: Value| {
        object.insert(name.to_owned(), value);
    };
    set("SPDXID", json!(id));
    set("name", json!(component.name));
    if let Some(version) = &component.version {
        set("versionInfo", json!(version));
    }
    let purpose = match component.kind {
        ComponentKind::Application => "APPLICATION",
        ComponentKind::Library | ComponentKind::Package => "LIBRARY",
        ComponentKind::System => "OPERATING-SYSTEM",
        ComponentKind::File => "FILE",
    };
    set("primaryPackagePurpose", json!(purpose));
    let organisation = |name: &String| format!("Organization: {name}");
    set("supplier", json!(component.supplier.as_ref().map_or_else(|| UNKNOWN.to_owned(), organisation)));
    if let Some(author) = &component.author {
        set("originator", json!(organisation(author)));
    }
    set("downloadLocation", json!(UNKNOWN));
    set("filesAnalyzed", json!(false));
    if let Some(sum) = &component.sha256 {
        set("checksums", json!([{ "algorithm": "SHA256", "checksumValue": sum }]));
    }
    set("licenseConcluded", json!(UNKNOWN));
    match component.licence.as_deref().map(License::parse) {
        // A document has to define such names itself.
        Some(License::Expression(expression)) if !expression.contains("LicenseRef-") => {
            set("licenseDeclared", json!(expression));
        }
        Some(License::Expression(words) | License::Words(words)) => {
            set("licenseDeclared", json!(UNKNOWN));
            set("licenseComments", json!(words));
        }
        None => set("licenseDeclared", json!(UNKNOWN)),
    }
    set("copyrightText", json!(UNKNOWN));
    if let Some(purl) = &component.purl {
        let reference = json!({
            "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl,
        });
        set("externalRefs", json!([reference]));
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_have_only_what_they_may() {
        let id = identifier("pkg:cargo/zstd-sys@2.0.16%2Bzstd");
        assert!(id.starts_with("SPDXRef-pkg-cargo-zstd-sys-2.0.16-2Bzstd-"), "{id}");
        assert_ne!(identifier("file:/a_b"), identifier("file:/a-b"));
    }

    #[test]
    fn relations_say_what_contains_what() {
        let app = Component { kind: ComponentKind::Application, name: "demo".into(), ..Component::default() };
        let mut bill = Bill::of(app.clone(), 0);
        let service = Component { kind: ComponentKind::Application, name: "alpha".into(), ..Component::default() };
        let service = bill.add(&app.id(), service);
        bill.add(&service, Component { name: "one".into(), licence: Some("mine".into()), ..Component::default() });
        bill.gaps.push("the crates of `beta` are not known".into());
        let document: Value = serde_json::from_str(&render(&bill).expect("a document")).expect("JSON");
        let relations = document["relationships"].as_array().expect("relations").iter();
        let kinds: Vec<&str> = relations.filter_map(|relation| relation["relationshipType"].as_str()).collect();
        assert_eq!(kinds, ["DESCRIBES", "DEPENDS_ON", "CONTAINS"]);
        assert_eq!(document["packages"][2]["licenseComments"], "mine");
        assert_eq!(document["comment"], "Incomplete: the crates of `beta` are not known.");
    }
}
