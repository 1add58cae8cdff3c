//! The JSON Schemas of the tables, and the check of manifests against them.

mod check;
mod keys;
mod kinds;
mod words;

use schemars::generate::SchemaSettings;
use serde_json::Value;

use check::Check;

use super::tables::{AppTable, ServiceTable};
use super::{Manifest, Problems, Step};

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
        let place_of = |key: &str| self.place_of(key);
        manifest.with_value(path, |value| Check { manifest, place_of: &place_of, problems }.value(&self.own, value, &name));
        problems.len() == before
    }

    /// The table to which a key belongs that is unknown where it is written: a table above, or the other one of ours.
    fn place_of(&self, key: &str) -> Option<&'static str> {
        let tables = [(&self.own, self.header), (&self.elsewhere, self.other_header)];
        tables.into_iter().find(|(schema, _)| schema["properties"].get(key).is_some()).map(|(_, header)| header)
    }
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
