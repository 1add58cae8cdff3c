//! in-toto statements (in-toto attestation framework, v1): documents about files that are named by their sums.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::Digest;

/// `_type` of every statement.
const STATEMENT: &str = "https://in-toto.io/Statement/v1";

/// That the subjects are a release (in-toto attestation framework, predicate `release`).
const RELEASE: &str = "https://in-toto.io/attestation/release/v0.1";

/// What is said of some files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    /// The files, the first of which is the bundle.
    pub subject: Vec<Subject>,
    /// The kind of `predicate`.
    pub predicate_type: String,
    /// What is said.
    pub predicate: Value,
}

/// A file by its sum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Its name, for people.
    pub name: String,
    /// Its sums in hexadecimal digits, by algorithm.
    pub digest: BTreeMap<String, String>,
}

impl Subject {
    /// A file with this SHA-256 sum.
    pub fn new(name: impl Into<String>, digest: Digest) -> Self {
        Self { name: name.into(), digest: BTreeMap::from([("sha256".to_owned(), digest.hex())]) }
    }

    /// Its SHA-256 sum.
    pub fn sha256(&self) -> Option<Digest> {
        Digest::from_hex(self.digest.get("sha256")?)
    }
}

impl Statement {
    /// That this predicate is true of these files.
    pub fn new(predicate_type: &str, predicate: Value, subject: Vec<Subject>) -> Self {
        Self { kind: STATEMENT.into(), subject, predicate_type: predicate_type.into(), predicate }
    }

    /// That these files are a version of an app.
    pub fn release(name: &str, version: &str, subject: Vec<Subject>) -> Self {
        // A package URL: what these words cannot contain is written as its number.
        let purl = format!("pkg:generic/{}@{}", escaped(name), escaped(version));
        Self::new(RELEASE, serde_json::json!({ "purl": purl }), subject)
    }

    /// It as text for people, as it is written without a signature.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn text(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// Reads one.
    ///
    /// # Errors
    /// When it is not a statement of version 1.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let statement: Self =
            serde_json::from_slice(bytes).map_err(|error| format!("it is not an in-toto statement: {error}"))?;
        if statement.kind == STATEMENT {
            return Ok(statement);
        }
        Err(format!("it is a `{}`, not a `{STATEMENT}`", statement.kind.escape_debug()))
    }
}

fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
