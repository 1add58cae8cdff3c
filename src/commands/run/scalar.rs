//! A scalar of a compose file as its text, with variables replaced (Compose Specification, "Interpolation").

use serde_json::Value;

/// A scalar as text, with `$NAME` and `${NAME:-default}` replaced, and `$$` for a dollar sign.
pub fn scalar(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((inner, after)) = rest.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            let (name, rest_of_it) = inner.split_at(inner.find([':', '-', '?', '+']).unwrap_or(inner.len()));
            out.push_str(&replacement(name, rest_of_it));
            rest = after;
        } else {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
            if end == 0 {
                out.push('$');
            } else {
                out.push_str(&std::env::var(&rest[..end]).unwrap_or_default());
                rest = &rest[end..];
            }
        }
    }
    out + rest
}

/// What stands for a variable: its value; what `-` names where it is not set, and `:-` also where it is empty; of `+` and `:+` what they
/// name where it is.
fn replacement(name: &str, other: &str) -> String {
    let (also_empty, other) = other.strip_prefix(':').map_or((false, other), |other| (true, other));
    let value = std::env::var(name).ok().filter(|value| !(also_empty && value.is_empty()));
    match (other.split_at_checked(1), value) {
        (Some(("+", with)), Some(_)) => with.to_owned(),
        (Some(("+", _)), None) => String::new(),
        (_, Some(value)) => value,
        (Some(("-", default)), None) => default.to_owned(),
        (_, None) => String::new(),
    }
}
