//! Keys that are not where they are written.

use serde_json::{Map, Value};

/// Whether one word is the plural of the other.
pub fn is_plural(one: &str, other: &str) -> bool {
    one.strip_suffix('s') == Some(other) || other.strip_suffix('s') == Some(one)
}

/// A key as a path, `resources.memory`, if exactly one of the tables in a table has it.
pub fn inner(key: &str, tables: &Map<String, Value>) -> Option<String> {
    let has = |(_, schema): &(&String, &Value)| {
        let branches = schema.get("anyOf").and_then(Value::as_array).into_iter().flatten();
        std::iter::once(*schema).chain(branches).any(|branch| branch["properties"].get(key).is_some())
    };
    let mut found = tables.iter().filter(has);
    let (table, _) = found.next().filter(|_| found.next().is_none())?;
    Some(format!("{table}.{key}"))
}
