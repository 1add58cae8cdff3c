//! Reads a CycloneDX document back into a bill.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use super::bill::{Bill, Component, ComponentKind};
use super::cyclonedx::{GAP, PROPERTY};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    bom_format: String,
    metadata: Metadata,
    #[serde(default)]
    components: Vec<Listed>,
    #[serde(default)]
    dependencies: Vec<Dependency>,
    #[serde(default)]
    properties: Vec<Property>,
}

#[derive(Deserialize)]
struct Metadata {
    timestamp: Option<String>,
    component: Listed,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Listed {
    #[serde(rename = "type")]
    kind: String,
    bom_ref: Option<String>,
    supplier: Option<Named>,
    #[serde(default)]
    authors: Vec<Named>,
    name: String,
    version: Option<String>,
    #[serde(default)]
    hashes: Vec<Hash>,
    #[serde(default)]
    licenses: Vec<Licensed>,
    purl: Option<String>,
    #[serde(default, rename = "externalReferences")]
    references: Vec<Reference>,
    #[serde(default)]
    properties: Vec<Property>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Hash {
    alg: String,
    content: String,
}

#[derive(Deserialize)]
struct Licensed {
    expression: Option<String>,
    license: Option<Named>,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(rename = "type")]
    kind: String,
    url: String,
}

#[derive(Deserialize)]
struct Property {
    name: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dependency {
    r#ref: String,
    #[serde(default)]
    depends_on: BTreeSet<String>,
}

/// Reads a document of this tool.
///
/// # Errors
/// When it is no CycloneDX document, or names a component otherwise than this tool does.
pub fn parse(text: &[u8]) -> Result<Bill> {
    let document: Document = serde_json::from_slice(text).context("it is not a CycloneDX document")?;
    ensure!(document.bom_format == "CycloneDX", "it is not a CycloneDX document");
    let time = document.metadata.timestamp.as_deref().and_then(|time| humantime::parse_rfc3339(time).ok());
    let epoch = time.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok()).map_or(0, |since| since.as_secs());
    let mut bill = Bill::of(component(document.metadata.component)?, epoch);
    for listed in document.components {
        bill.add_alone(component(listed)?);
    }
    let uses = document.dependencies.into_iter().filter(|dependency| !dependency.depends_on.is_empty());
    bill.uses = uses.map(|dependency| (dependency.r#ref, dependency.depends_on)).collect();
    bill.gaps = document.properties.into_iter().filter(|property| property.name == GAP).map(|property| property.value).collect();
    Ok(bill)
}

fn component(listed: Listed) -> Result<Component> {
    let purl = listed.purl;
    let kind = match (listed.kind.as_str(), &purl) {
        ("application", _) => ComponentKind::Application,
        ("operating-system", _) => ComponentKind::System,
        ("file", _) => ComponentKind::File,
        (_, Some(purl)) if purl.starts_with("pkg:deb/") => ComponentKind::Package,
        _ => ComponentKind::Library,
    };
    let of_ours = listed.properties.into_iter().filter_map(|property| {
        let name = property.name.strip_prefix(PROPERTY)?;
        let known = ["image", "links", "source"].into_iter().find(|known| *known == name)?;
        Some((known, property.value))
    });
    let component = Component {
        kind,
        properties: of_ours.collect::<BTreeMap<_, _>>(),
        name: listed.name,
        version: listed.version,
        purl,
        licence: listed
            .licenses
            .into_iter()
            .find_map(|licensed| licensed.expression.or(licensed.license.map(|named| named.name))),
        supplier: listed.supplier.map(|named| named.name),
        author: listed.authors.into_iter().next().map(|named| named.name),
        sha256: listed.hashes.into_iter().find(|hash| hash.alg == "SHA-256").map(|hash| hash.content),
        repository: listed.references.into_iter().find(|reference| reference.kind == "vcs").map(|reference| reference.url),
    };
    let id = component.id();
    ensure!(listed.bom_ref.is_none_or(|written| written == id), "it has `{id}` under another name");
    Ok(component)
}

#[cfg(test)]
mod tests {
    use super::super::cyclonedx;
    use super::*;

    #[test]
    fn what_was_rendered_is_read_as_it_was() {
        let app = Component {
            kind: ComponentKind::Application,
            name: "demo".into(),
            version: Some("1".into()),
            ..Component::default()
        };
        let mut bill = Bill::of(app.clone(), 1_700_000_000);
        let service = Component {
            kind: ComponentKind::Application,
            name: "alpha".into(),
            sha256: Some("ab".repeat(32)),
            ..Component::default()
        };
        let service = bill.add(&app.id(), service);
        bill.add(
            &service,
            Component {
                name: "one".into(),
                version: Some("1.0.0".into()),
                purl: Some("pkg:cargo/one@1.0.0".into()),
                licence: Some("MIT OR Apache-2.0".into()),
                supplier: Some("crates.io".into()),
                author: Some("A. Author".into()),
                repository: Some("https://example.com/one".into()),
                properties: BTreeMap::from([("links", "one".to_owned())]),
                ..Component::default()
            },
        );
        bill.gaps.push("a gap".into());
        let text = cyclonedx::render(&bill).expect("a document");
        assert_eq!(parse(text.as_bytes()).expect("a bill"), bill);
        for wrong in ["", "{}", "[1]", &text.replace("pkg:cargo/one@1.0.0\",\n      \"supplier", "x\",\n      \"supplier")] {
            parse(wrong.as_bytes()).expect_err(wrong);
        }
    }
}
