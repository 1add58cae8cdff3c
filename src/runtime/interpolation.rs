//! Replaces variables in a compose file by their values (Compose Specification, "Interpolation").

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::diagnostic::Code;

/// Replaces `$NAME` and `${NAME…}` in all strings of a document by the value that `variable` returns, and `$$` by a dollar sign.
///
/// # Errors
/// When a required variable is not set (with the file's own message), or a brace is not closed.
pub fn replaced(value: &Value, variable: &dyn Fn(&str) -> Option<String>) -> Result<Value> {
    Ok(match value {
        Value::String(text) => Value::String(text_of(text, variable)?),
        Value::Array(items) => items.iter().map(|item| replaced(item, variable)).collect::<Result<_>>()?,
        Value::Object(map) => {
            let pairs = map.iter().map(|(key, value)| Ok((key.clone(), replaced(value, variable)?)));
            Value::Object(pairs.collect::<Result<_>>()?)
        }
        other => other.clone(),
    })
}

/// Formats a scalar as text.
pub fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Replaces variables in a text, as [`replaced`] does.
///
/// # Errors
/// As [`replaced`].
pub fn text_of(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(inner) = rest.strip_prefix('{') {
            let end = closing(inner).with_context(|| format!("`{text}` has an unclosed brace"))?;
            let (name, other) = inner[..end].split_at(name_length(&inner[..end]));
            out.push_str(&replacement(name, other, variable)?);
            rest = &inner[end + 1..];
        } else {
            let (name, after) = rest.split_at(name_length(rest));
            if name.is_empty() {
                out.push('$');
            } else {
                out.push_str(&variable(name).unwrap_or_default());
            }
            rest = after;
        }
    }
    Ok(out + rest)
}

/// The position of the brace that closes the one just before `text`, skipping nested `${…}`.
fn closing(text: &str) -> Option<usize> {
    let mut open = 1;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' if at > 0 && text.as_bytes()[at - 1] == b'$' => open += 1,
            b'}' if open == 1 => return Some(at),
            b'}' => open -= 1,
            _ => {}
        }
    }
    None
}

fn name_length(text: &str) -> usize {
    text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len())
}

/// The value of `${name other}`: `-` and `:-` give a default if the variable is not set, `+` and `:+` replace it if it is set,
/// `?` and `:?` make it required. With a colon, an empty value counts as not set.
fn replacement(name: &str, other: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String> {
    let (also_empty, other) = other.strip_prefix(':').map_or((false, other), |other| (true, other));
    let value = variable(name).filter(|value| !(also_empty && value.is_empty()));
    let (sign, words) = other.split_at_checked(1).unwrap_or_default();
    let words = || text_of(words, variable);
    match (sign, value) {
        ("+", Some(_)) => words(),
        ("-", None) => words(),
        ("?", None) => {
            let words = words()?;
            let why = if words.is_empty() { String::new() } else { format!(": {words}") };
            bail!(Code::VariableMissing.error(format!(
                "the variable `{name}` must be set{why}\nhelp: set it in `.env` next to the workspace's `Cargo.toml`, or before the command: `{name}=… cargo appbundle …`"
            )))
        }
        ("" | "-" | "?", Some(value)) => Ok(value),
        ("" | "+", None) => Ok(String::new()),
        _ => bail!("`${{{name}{other}}}` is not a valid substitution"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_specification() {
        let variable = |name: &str| match name {
            "SET" => Some("value".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        let of = |text: &str| text_of(text, &variable);
        for (text, wanted) in [
            ("plain", "plain"),
            ("$SET and ${SET}", "value and value"),
            ("$NONE|${NONE}|${EMPTY}", "||"),
            ("$$SET $${SET} 5$ $-", "$SET ${SET} 5$ $-"),
            ("${NONE-a}${EMPTY-b}${EMPTY:-c}${SET:-d}", "acvalue"),
            ("${NONE+a}${EMPTY+b}${EMPTY:+c}${SET:+d}", "bd"),
            ("${SET?why}${SET:?why}${EMPTY?why}", "valuevalue"),
            ("${NONE:-${ALSO:-${SET}}}!", "value!"),
            ("${NONE:-{\"a\": 1}", "{\"a\": 1"),
        ] {
            assert_eq!(of(text).expect(text), wanted, "{text}");
        }
        for (text, wanted) in [
            ("${NONE?set it}", "`NONE` must be set: set it"),
            ("${EMPTY:?}", "`EMPTY` must be set\nhelp"),
            ("${SET", "unclosed brace"),
            ("${SET!x}", "not a valid substitution"),
        ] {
            assert!(of(text).expect_err(text).to_string().contains(wanted), "{text}");
        }
    }
}
