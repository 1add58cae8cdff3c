//! The findings as SARIF 2.1.0, which code hosts show beside the code.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::finding::{AuditFinding, FindingPlace};
use super::report::AuditReport;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The whole document. `place_of` gives the file that names a package, and the line, if it is a text.
pub fn sarif(report: &AuditReport, place_of: &dyn Fn(&AuditFinding) -> (String, Option<usize>)) -> Value {
    let mut rules: Vec<Value> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut results = Vec::new();
    for finding in &report.findings {
        let at = *places.entry(&finding.id).or_insert_with(|| {
            rules.push(rule(finding));
            rules.len() - 1
        });
        let (file, line) = place_of(finding);
        results.push(result(finding, at, &file, line));
    }
    let notifications: Vec<Value> =
        report.incomplete.iter().map(|text| json!({ "level": "warning", "message": { "text": text } })).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "cargo-appbundle",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "invocations": [{ "executionSuccessful": true, "toolExecutionNotifications": notifications }],
            "results": results,
        }],
    })
}

fn rule(finding: &AuditFinding) -> Value {
    let mut rule = Map::new();
    rule.insert("id".into(), json!(finding.id));
    rule.insert("shortDescription".into(), json!({ "text": titled(finding) }));
    rule.insert("fullDescription".into(), json!({ "text": titled(finding) }));
    let more = finding.url.as_ref().map(|url| format!(" See {url}")).unwrap_or_default();
    rule.insert("help".into(), json!({ "text": format!("{}.{more}", titled(finding).trim_end_matches('.')) }));
    if let Some(url) = &finding.url {
        rule.insert("helpUri".into(), json!(url));
    }
    let mut tags = vec!["security".to_owned(), "vulnerability".to_owned()];
    if let Some(kind) = &finding.informational {
        tags = vec![kind.clone()];
    }
    tags.extend(finding.aliases.iter().cloned());
    let mut properties = json!({ "tags": tags });
    // By this, code hosts sort.
    if let (Some(score), Some(properties)) = (finding.scored.score, properties.as_object_mut()) {
        properties.insert("security-severity".into(), json!(format!("{score:.1}")));
    }
    rule.insert("defaultConfiguration".into(), json!({ "level": level(finding) }));
    rule.insert("properties".into(), properties);
    Value::Object(rule)
}

fn titled(finding: &AuditFinding) -> &str {
    if finding.title.is_empty() { &finding.id } else { &finding.title }
}

/// An informational finding is a warning, and one that nobody rated may be bad.
fn level(finding: &AuditFinding) -> &'static str {
    match (&finding.informational, finding.scored.score) {
        (Some(_), _) => "warning",
        (None, Some(score)) if score < 4.0 => "note",
        (None, Some(score)) if score < 7.0 => "warning",
        _ => "error",
    }
}

fn result(finding: &AuditFinding, rule: usize, file: &str, line: Option<usize>) -> Value {
    let fixed = match &finding.fixed_in[..] {
        [] => "no version fixes it".to_owned(),
        versions => format!("fixed in {}", versions.join(", ")),
    };
    let services = match &finding.services()[..] {
        [] => String::new(),
        services => format!(" of {}", services.join(", ")),
    };
    let text = format!("{} {}{services}: {}; {fixed}", finding.package, finding.version, titled(finding));
    let mut physical = json!({ "artifactLocation": { "uri": uri(file) } });
    if let (Some(line), Some(physical)) = (line, physical.as_object_mut()) {
        physical.insert("region".into(), json!({ "startLine": line }));
    }
    let logical: Vec<Value> = finding.places.iter().filter_map(logical).collect();
    let mut location = Map::from_iter([("physicalLocation".to_owned(), physical)]);
    if !logical.is_empty() {
        location.insert("logicalLocations".into(), json!(logical));
    }
    let mut result = json!({
        "ruleId": finding.id,
        "ruleIndex": rule,
        "level": level(finding),
        "message": { "text": text },
        "locations": [location],
        "partialFingerprints": { "package/v1": format!("{}:{}:{}", finding.id, finding.ecosystem, finding.package) },
    });
    if let (Some(verdict), Some(result)) = (finding.vex.as_ref().filter(|_| finding.is_settled()), result.as_object_mut()) {
        let words: Vec<&str> = [Some(verdict.status.name()), verdict.reason.as_deref()].into_iter().flatten().collect();
        let suppression = json!({ "kind": "external", "status": "accepted", "justification": words.join(": ") });
        result.insert("suppressions".into(), json!([suppression]));
    }
    result
}

fn logical(place: &FindingPlace) -> Option<Value> {
    let name = place.file.as_ref().or(place.base.as_ref()).or(place.services.first())?;
    let mut location = json!({ "name": name, "kind": if place.path.is_empty() { "package" } else { "module" } });
    if let (false, Some(location)) = (place.path.is_empty(), location.as_object_mut()) {
        location.insert("fullyQualifiedName".into(), json!(place.path.join(" > ")));
    }
    Some(location)
}

/// A path as a reference of RFC 3986: relative ones stay so.
fn uri(path: &str) -> String {
    let mut out = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b'/' | b'+' => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
