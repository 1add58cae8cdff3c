//! The check of a table in a manifest against its schema.

use std::borrow::Cow;

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::{Manifest, Problems};
use super::keys;
use super::kinds::{article, choices, expected, kind};
use super::words::{listed, nearest};
use crate::diagnostic::Code;

/// A check of one manifest; it adds what is wrong to the problems.
pub(super) struct Check<'a> {
    pub(super) manifest: &'a Manifest,
    /// The table to which a key belongs that is unknown where it is written.
    pub(super) place_of: &'a dyn Fn(&str) -> Option<&'static str>,
    pub(super) problems: &'a mut Problems,
}

impl Check<'_> {
    /// Checks a value and all that is in it; `name` is the key that has it.
    pub(super) fn value(&mut self, schema: &Value, value: &Spanned<DeValue<'_>>, name: &str) {
        let kind = kind(value.get_ref());
        let Some(schema) = alternative(schema, value.get_ref()) else {
            let message = format!("`{name}` is {} instead of {}", article(kind), expected(schema));
            self.problems.push(self.manifest.problem_at(Code::WrongType, value.span(), message));
            return;
        };
        match value.get_ref() {
            DeValue::Table(table) => {
                let known = schema.get("properties").and_then(Value::as_object);
                let other = schema.get("additionalProperties").or_else(|| schema.get("unevaluatedProperties"));
                for (key, inner) in table {
                    match (known.and_then(|known| known.get(key.get_ref().as_ref())), other) {
                        (Some(schema), _) => self.value(schema, inner, key.get_ref()),
                        (None, Some(Value::Bool(false))) => self.unknown(key, known, table),
                        (None, Some(schema @ Value::Object(_))) => self.value(schema, inner, key.get_ref()),
                        (None, _) => {}
                    }
                }
                for required in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
                    if !table.iter().any(|(key, _)| key.get_ref() == required) {
                        let span = value.span();
                        let end = self.manifest.text[span.clone()].find('\n').map_or(span.end, |at| span.start + at);
                        self.problems.push(self.manifest.problem_at(
                            Code::MissingKey,
                            span.start..end,
                            format!("`{name}` has no `{required}`"),
                        ));
                    }
                }
            }
            DeValue::Array(array) => {
                if let Some(items) = schema.get("items") {
                    for inner in array {
                        self.value(items, inner, name);
                    }
                }
            }
            DeValue::String(text) => self.choice(schema, text, value, name),
            DeValue::Integer(integer) => self.range(schema, integer, value, name),
            _ => {}
        }
    }

    fn unknown(&mut self, key: &Spanned<Cow<'_, str>>, known: Option<&Map<String, Value>>, table: &DeTable<'_>) {
        let inner = known.and_then(|known| keys::inner(key.get_ref(), known));
        let known: Vec<&str> = known.into_iter().flat_map(|known| known.keys().map(String::as_str)).collect();
        let problem = self.manifest.problem_at(Code::UnknownKey, key.span(), format!("unknown key `{}`", key.get_ref()));
        let near = nearest(key.get_ref(), &known);
        // One that is there already is not meant.
        let plural =
            near.filter(|near| keys::is_plural(key.get_ref(), near) && !table.iter().any(|(there, _)| there.get_ref() == near));
        self.problems.push(match (plural, (self.place_of)(key.get_ref()), inner, near) {
            (Some(near), ..) => problem.meant(near, near),
            (None, Some(header), ..) => problem.help(format!("did you mean `{}` in `{header}`?", key.get_ref())),
            (None, None, Some(inner), _) => problem.help(format!("did you mean `{inner}`?")),
            (None, None, None, Some(near)) => problem.meant(near, near),
            (None, None, None, None) => problem.help(format!("known keys are {}", listed(&known))),
        });
    }

    fn choice(&mut self, schema: &Value, text: &str, value: &Spanned<DeValue<'_>>, name: &str) {
        let choices = choices(schema);
        if choices.is_empty() || choices.contains(&text) {
            return;
        }
        let problem = self.manifest.problem_at(Code::InvalidValue, value.span(), format!("`{name}` cannot be `{text}`"));
        // A base may be a table too.
        let source = (name == "base").then(|| source_of(text));
        self.problems.push(match (nearest(text, &choices), source) {
            (Some(near), _) => problem.meant(near, &format!("\"{near}\"")),
            (None, Some(source)) => problem.meant(&source, &source),
            (None, None) => problem.help(format!("it can be {}", listed(&choices))),
        });
    }

    fn range(&mut self, schema: &Value, integer: &toml::de::DeInteger<'_>, value: &Spanned<DeValue<'_>>, name: &str) {
        let number = i64::from_str_radix(integer.as_str(), integer.radix());
        let limit = |key: &str| schema.get(key).and_then(|limit| limit.as_i64());
        let (least, most) = (limit("minimum"), limit("maximum"));
        let inside = number.as_ref().is_ok_and(|n| least.is_none_or(|l| *n >= l) && most.is_none_or(|m| *n <= m));
        if !inside {
            let range = match (least, most) {
                (Some(least), Some(most)) => format!(": it must be from {least} to {most}"),
                (Some(least), None) => format!(": it must be at least {least}"),
                _ => String::new(),
            };
            self.problems.push(self.manifest.problem_at(
                Code::InvalidValue,
                value.span(),
                format!("`{name}` cannot be `{}`{range}", integer.as_str()),
            ));
        }
    }
}

/// The branch of a schema for values of this kind.
fn alternative<'a>(schema: &'a Value, value: &DeValue<'_>) -> Option<&'a Value> {
    let branches = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(key)?.as_array());
    if let Some(branches) = branches {
        let fitting: Vec<&Value> = branches.iter().filter_map(|branch| alternative(branch, value)).collect();
        // Choices of one enum come as one branch each: keep them together.
        let all_constant = fitting.iter().all(|branch| branch.get("const").is_some());
        return if fitting.len() > 1 && all_constant { Some(schema) } else { fitting.first().copied() };
    }
    let kind = kind(value);
    let fits = |name: &str| name == kind || (name == "number" && kind == "integer");
    let fits = match schema.get("type") {
        Some(Value::String(name)) => fits(name),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).any(fits),
        _ => true,
    };
    fits.then_some(schema)
}

/// The table for a base whose source stands where its name should.
fn source_of(text: &str) -> String {
    let is_archive = text.trim_end_matches(".gz").trim_end_matches(".xz").trim_end_matches(".zst").ends_with(".tar");
    let key = match text {
        _ if text.rsplit('/').next().is_some_and(|file| file.contains("Dockerfile")) => "dockerfile",
        _ if is_archive || text.ends_with(".tgz") || text.starts_with(['.', '/']) => "rootfs",
        _ => "image",
    };
    format!("{{ {key} = {} }}", Value::from(text))
}
