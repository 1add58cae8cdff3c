//! The kinds of values that a schema takes, by their names in TOML.

use serde_json::Value;
use toml::de::DeValue;

/// The words that a schema takes.
pub fn choices(schema: &Value) -> Vec<&str> {
    let mut found: Vec<&str> =
        schema.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    found.extend(schema.get("const").and_then(Value::as_str));
    for branch in ["anyOf", "oneOf"].iter().filter_map(|key| schema.get(key)?.as_array()).flatten() {
        found.extend(choices(branch));
    }
    found
}

/// The JSON Schema name for the kind of a TOML value.
pub fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) | DeValue::Datetime(_) => "string",
        DeValue::Integer(_) => "integer",
        DeValue::Float(_) => "number",
        DeValue::Boolean(_) => "boolean",
        DeValue::Array(_) => "array",
        DeValue::Table(_) => "object",
    }
}

/// The TOML name for the kind.
pub fn article(kind: &str) -> &'static str {
    match kind {
        "string" => "a string",
        "integer" => "an integer",
        "number" => "a number",
        "boolean" => "a boolean",
        "array" => "an array",
        _ => "a table",
    }
}

/// The kinds that a schema takes, in words.
pub fn expected(schema: &Value) -> String {
    let mut kinds = Vec::new();
    collect_kinds(schema, &mut kinds);
    kinds.join(" or ")
}

fn collect_kinds(schema: &Value, kinds: &mut Vec<&'static str>) {
    let mut add = |name: &str| {
        if name != "null" && !kinds.contains(&article(name)) {
            kinds.push(article(name));
        }
    };
    match schema.get("type") {
        Some(Value::String(name)) => add(name),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).for_each(add),
        _ => {}
    }
    for branch in ["anyOf", "oneOf"].iter().filter_map(|key| schema.get(key)?.as_array()).flatten() {
        collect_kinds(branch, kinds);
    }
}
