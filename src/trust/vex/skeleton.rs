//! A document to fill in: one statement for each finding, all under investigation.

use serde_json::{Value, json};

use super::statement::VexStatus;
use crate::digest::Digest;
use crate::trust::audit::AuditFinding;

/// What OpenVEX documents begin with.
const CONTEXT: &str = "https://openvex.dev/ns/v0.2.0";

/// Who makes it, and when, in RFC 3339's form.
pub fn skeleton<'a>(findings: impl IntoIterator<Item = &'a AuditFinding>, author: &str, timestamp: &str) -> Value {
    let mut statements: Vec<Value> = Vec::new();
    for finding in findings {
        let products: Vec<Value> = finding.purls.iter().map(|purl| json!({ "@id": purl })).collect();
        let statement = json!({
            "vulnerability": { "name": finding.id, "aliases": finding.aliases },
            "products": products,
            "status": VexStatus::UnderInvestigation.name(),
            "status_notes": finding.title,
        });
        // Several services may have it on several ways.
        if !statements.contains(&statement) {
            statements.push(statement);
        }
    }
    // The name is that of the content, as `vexctl` makes it.
    let digest = Digest::of(format!("{author}\n{timestamp}\n{}", json!(statements)));
    json!({
        "@context": CONTEXT,
        "@id": format!("https://openvex.dev/docs/public/vex-{}", digest.hex()),
        "author": author,
        "timestamp": timestamp,
        "version": 1,
        "statements": statements,
    })
}
