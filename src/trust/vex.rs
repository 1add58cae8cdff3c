//! Statements on vulnerabilities: whether a product is affected, and why not (OpenVEX 0.2.0).

mod skeleton;
mod statement;

pub use skeleton::skeleton;
pub use statement::{VexProduct, VexStatement, VexStatus};

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::diagnostic::Code;

/// Begins the `@context` of every such document.
const CONTEXT: &str = "https://openvex.dev/ns";

/// Bytes of one document.
const LARGEST: u64 = 16 << 20;

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "@context")]
    context: String,
    #[serde(default)]
    timestamp: Option<String>,
    statements: Vec<Value>,
}

/// Reads a file.
///
/// # Errors
/// When it cannot be read, or is no such document, in words for the user.
pub fn read(path: &Path) -> Result<Vec<VexStatement>> {
    use std::io::Read as _;
    let reading = || format!("failed to read the VEX file `{}`", path.display());
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).with_context(reading)?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).with_context(reading)?;
    ensure!(
        bytes.len() as u64 <= LARGEST,
        Code::VexInvalid.error(format!("`{}` is larger than {LARGEST} bytes", path.display()))
    );
    parse(&bytes).with_context(|| Code::VexInvalid.error(reading()))
}

/// Reads a document; gives its statements, oldest first.
///
/// # Errors
/// When it is none, or a statement says too little, in words for the user.
pub fn parse(json: &[u8]) -> Result<Vec<VexStatement>> {
    let document: Document = serde_json::from_slice(json).map_err(|error| anyhow::anyhow!("it is not OpenVEX: {error}"))?;
    ensure!(
        document.context.starts_with(CONTEXT),
        "it is not OpenVEX: its `@context` is `{}`, and does not begin with `{CONTEXT}`",
        document.context.escape_debug()
    );
    let mut statements = Vec::new();
    for (at, value) in document.statements.into_iter().enumerate() {
        let statement = VexStatement::parse(value, document.timestamp.as_deref());
        statements.push(statement.with_context(|| format!("statement {} is not valid", at + 1))?);
    }
    statements.sort_by(|one, other| one.timestamp.cmp(&other.timestamp));
    Ok(statements)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(statement: &Value) -> Vec<u8> {
        json!({"@context": "https://openvex.dev/ns/v0.2.0", "@id": "urn:a", "author": "me", "timestamp": "2031-01-01T00:00:00Z",
            "version": 1, "statements": [statement]})
        .to_string()
        .into_bytes()
    }

    #[test]
    fn old_and_new_forms() {
        let new = json!({"vulnerability": {"name": "CVE-2031-1", "aliases": ["RUSTSEC-2031-0001"]}, "status": "not_affected",
            "justification": "vulnerable_code_not_present",
            "products": [{"@id": "https://a.example", "identifiers": {"purl": "pkg:cargo/teapot@1.0.0"}}]});
        let old = json!({"vulnerability": "CVE-2031-1", "status": "fixed", "products": ["pkg:cargo/teapot@1.0.0"]});
        for (statement, status) in [(new, VexStatus::NotAffected), (old, VexStatus::Fixed)] {
            let parsed = parse(&document(&statement)).expect("a document");
            assert_eq!((parsed[0].status, parsed[0].vulnerabilities[0].as_str()), (status, "CVE-2031-1"));
            assert_eq!(parsed[0].products[0].purls[0].name, "teapot");
        }
    }

    #[test]
    fn what_says_too_little_is_refused() {
        let product = json!(["pkg:cargo/teapot"]);
        let deep = format!("{{\"@context\":\"{CONTEXT}\",\"statements\":{}", "[".repeat(100_000));
        for (json, why) in [
            (b"{}".to_vec(), "missing field `@context`"),
            (deep.into_bytes(), "recursion limit exceeded"),
            (br#"{"@context":"https://spdx.org","statements":[]}"#.to_vec(), "does not begin with `https://openvex.dev/ns`"),
            (document(&json!(1)), "statement 1 is not valid"),
            (document(&json!({"vulnerability": "A", "status": "safe", "products": product})), "unknown variant `safe`"),
            (document(&json!({"vulnerability": "A", "status": "fixed"})), "it names no product"),
            (document(&json!({"vulnerability": {}, "status": "fixed", "products": product})), "it names no vulnerability"),
            (
                document(&json!({"vulnerability": "A", "status": "not_affected", "products": product})),
                "has neither `justification`",
            ),
            (
                document(
                    &json!({"vulnerability": "A", "status": "not_affected", "products": product, "justification": "trust me"}),
                ),
                "`trust me` is not one of OpenVEX's justifications",
            ),
        ] {
            let error = format!("{:#}", parse(&json).expect_err(why));
            assert!(error.contains(why), "{error}");
        }
    }
}
