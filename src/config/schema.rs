//! The JSON Schemas of the tables, and the check of manifests against them.

mod keys;
mod kinds;
mod words;

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use kinds::{article, choices, expected, kind};
use words::listed;

use super::tables::{AppTable, ServiceTable};
use super::{Manifest, Problems, Step};
use crate::diagnostic::Code;

pub(super) use words::plain;
pub use words::{did_you_mean, nearest};

/// Both schemas in one document: `$defs` `app` and `service`, and where in a `Cargo.toml` they apply.
pub fn document() -> Value {
    let app = of::<AppTable>();
    let service = of::<ServiceTable>();
    let many = serde_json::json!({ "anyOf": [{ "$ref": "#/$defs/service" }, { "type": "array", "items": { "$ref": "#/$defs/service" } }] });
    let object = |name: &str, inner: Value| serde_json::json!({ "type": "object", "properties": { name: inner } });
    let app_ref = serde_json::json!({ "$ref": "#/$defs/app" });
    let package = serde_json::json!({ "type": "object", "properties": { "appbundle": app_ref, "service": many } });
    serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "cargo-appbundle's tables in Cargo.toml",
        "type": "object",
        "properties": {
            "workspace": object("metadata", object("appbundle", serde_json::json!({ "$ref": "#/$defs/app" }))),
            "package": object("metadata", package),
        },
        "$defs": { "app": app, "service": service },
    })
}

fn of<T: schemars::JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|s| {
        s.inline_subschemas = true;
        s.meta_schema = None;
    });
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// A table's schema, prepared for checking manifests.
pub struct Schema {
    own: Value,
    /// How the table is written.
    header: &'static str,
    /// Where each key belongs that only our other table has.
    elsewhere: Value,
    other_header: &'static str,
}

/// The app's table, and a service's, as they are written.
const HEADERS: [&str; 2] = ["[workspace.metadata.appbundle]", "[package.metadata.service]"];

impl Schema {
    /// Of `[workspace.metadata.appbundle]`.
    pub fn app() -> Self {
        let [header, other_header] = HEADERS;
        Self { own: of::<AppTable>(), header, elsewhere: of::<ServiceTable>(), other_header }
    }

    /// Of `[package.metadata.service]`.
    pub fn service() -> Self {
        let [other_header, header] = HEADERS;
        Self { own: of::<ServiceTable>(), header, elsewhere: of::<AppTable>(), other_header }
    }

    /// Reports each place where the value at `path` violates the schema; returns whether the value is valid.
    pub fn check(&self, manifest: &Manifest, path: &[Step<'_>], problems: &mut Problems) -> bool {
        let before = problems.len();
        let name = match path.last() {
            Some(Step::Key(key)) => (*key).to_owned(),
            _ => "table".to_owned(),
        };
        manifest.with_value(path, |value| Check { manifest, schema: self, problems }.value(&self.own, value, &name));
        problems.len() == before
    }
}

impl Schema {
    /// The table to which a key belongs that is unknown where it is written: a table above, or the other one of ours.
    fn place_of(&self, key: &str) -> Option<&'static str> {
        let tables = [(&self.own, self.header), (&self.elsewhere, self.other_header)];
        tables.into_iter().find(|(schema, _)| schema["properties"].get(key).is_some()).map(|(_, header)| header)
    }
}

struct Check<'a> {
    manifest: &'a Manifest,
    schema: &'a Schema,
    problems: &'a mut Problems,
}

impl Check<'_> {
    fn value(&mut self, schema: &Value, value: &Spanned<DeValue<'_>>, name: &str) {
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
        self.problems.push(match (plural, self.schema.place_of(key.get_ref()), inner, near) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn report(text: &str) -> String {
        let manifest = Manifest { shown: "services/a/Cargo.toml".into(), text: text.into() };
        let mut problems = Problems::default();
        let path = [Step::Key("package"), Step::Key("metadata"), Step::Key("service")];
        Schema::service().check(&manifest, &path, &mut problems);
        problems.render(false)
    }

    #[test]
    fn all_mistakes_are_found_at_once_and_where_they_stand() {
        let text = "[package.metadata.service]\nenviroment = {}\nports = 8080\nreplicas = -1\nbase = \"autp\"\n\
            depends-on = [1]\nhealthcheck = { port = 70000 }\n";
        let report = report(text);
        for part in [
            "unknown key `enviroment`",
            "did you mean `environment`?",
            "services/a/Cargo.toml:2:1",
            "`ports` is an integer instead of an array",
            "`replicas` cannot be `-1`: it must be at least 0",
            "`base` cannot be `autp`",
            "did you mean `auto`?",
            "`depends-on` is an integer instead of a string",
            "`port` cannot be `70000`: it must be from 0 to 65535",
        ] {
            assert!(report.contains(part), "{part} in\n{report}");
        }
    }

    #[test]
    fn what_is_right_is_accepted() {
        let text = "[package.metadata.service]\nname = \"a\"\nports = [8080, \"80:8080\"]\nenvironment = { A = 1, B = true, C = \"x\", D = 1.5 }\n\
            env-file = \"x\"\nbase = { rootfs = \"x\" }\ncompose = { deploy = { x = [1] } }\nroutes = { \"/a\" = { port = 1 } }\n";
        assert_eq!(report(text), "");
    }

    #[test]
    fn a_base_without_its_braces_is_told_them() {
        for (text, meant) in [
            ("debian:bookworm", r#"{ image = "debian:bookworm" }"#),
            ("ghcr.io/example/base", r#"{ image = "ghcr.io/example/base" }"#),
            ("docker-daemon:base:1", r#"{ image = "docker-daemon:base:1" }"#),
            ("base.tar.gz", r#"{ rootfs = "base.tar.gz" }"#),
            ("../root", r#"{ rootfs = "../root" }"#),
            ("docker/Dockerfile.base", r#"{ dockerfile = "docker/Dockerfile.base" }"#),
            ("scrach", "scratch"),
        ] {
            let report = report(&format!("[package.metadata.service]\nbase = \"{text}\"\n"));
            assert!(report.contains(&format!("help: did you mean `{meant}`?")), "{report}");
        }
    }

    #[test]
    fn a_key_in_the_wrong_table_is_told_its_place() {
        let author = report("[package.metadata.service]\nauthor = \"com.example\"\n");
        assert!(author.contains("help: did you mean `author` in `[workspace.metadata.appbundle]`?"), "{author}");
        // As it goes with TOML, where all below a header belongs to it.
        let ports = report("[package.metadata.service.healthcheck]\nport = 80\nports = [80]\n");
        assert!(ports.contains("help: did you mean `ports` in `[package.metadata.service]`?"), "{ports}");
    }

    #[test]
    fn a_key_that_belongs_elsewhere_or_is_another_is_told() {
        for (text, meant) in [
            ("base = { debian = \"bookworm\", mirrors = [\"http://x\"] }", "`mirror`"),
            ("memory = \"64M\"", "`resources.memory`"),
            // One of several tables has it.
            ("image = \"x\"", "`files`"),
        ] {
            let report = report(&format!("[package.metadata.service]\n{text}\n"));
            let says = format!("help: did you mean {meant}?");
            assert_eq!(report.contains(&says), meant != "`files`", "{report}");
        }
    }

    #[test]
    fn a_distant_word_gets_the_list() {
        assert!(report("[package.metadata.service]\nzzzzzz = 1\n").contains("known keys are `name`"));
    }
}
