//! Values as text, and how they are merged.

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

use crate::app::GeneratedFile;

/// Files for one target, and notes for the user on what they cannot express.
#[derive(Debug, Default)]
pub struct Rendered {
    /// The files.
    pub files: Vec<GeneratedFile>,
    /// What is lost between the tables and the files.
    pub notes: Vec<String>,
}

/// A piece of a file, and what it does not say.
#[derive(Debug, Default)]
pub struct Piece {
    /// The piece.
    pub map: Map<String, Value>,
    /// What is lost in it.
    pub notes: Vec<String>,
}

/// A value as a YAML document.
pub fn yaml(value: &Value) -> Result<String> {
    // A folded path means the same, but is hard to recognise.
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
