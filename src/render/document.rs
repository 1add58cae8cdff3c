//! YAML documents, and merging of values.

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

use crate::app::GeneratedFile;
use crate::diagnostic::Note;

/// Files for one target, and notes for the user on what they cannot express.
#[derive(Debug, Default)]
pub struct Rendered {
    /// The files.
    pub files: Vec<GeneratedFile>,
    /// Notes on what the files cannot express.
    pub notes: Vec<Note>,
}

/// A part of a file, with notes on what it cannot express.
#[derive(Debug, Default)]
pub struct Piece {
    /// The part.
    pub map: Map<String, Value>,
    /// Notes on what it cannot express.
    pub notes: Vec<Note>,
}

/// Formats a value as a YAML document.
pub fn yaml(value: &Value) -> Result<String> {
    // A folded path means the same, but is hard to read.
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    serde_saphyr::to_string_with_options(value, options).context("failed to write YAML")
}

/// Merges `over` into `under` as compose merges files: mappings merge, all else replaces.
pub fn merge(under: &mut Map<String, Value>, over: &Map<String, Value>) {
    for (key, value) in over {
        match (under.get_mut(key), value) {
            (Some(Value::Object(under)), Value::Object(over)) => merge(under, over),
            _ => drop(under.insert(key.clone(), value.clone())),
        }
    }
}
