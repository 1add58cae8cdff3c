//! The table `package.metadata.system-deps`, by which build scripts find their libraries (crates `system-deps` and `metadeps`).

use serde_json::{Map, Value};

use super::need::{NativeFile, NativeNeed};
use super::scripts;
use crate::workspace::Compiled;

/// The tables, and what a build script calls that reads one. A table that no script reads is a memory of older versions.
const TABLES: [(&str, &str); 2] = [("system-deps", "system_deps::"), ("pkg-config", "metadeps::")];

/// The libraries that the tables name.
pub fn needs(graph: &[Compiled]) -> Vec<NativeNeed> {
    graph.iter().flat_map(of).collect()
}

fn of(package: &Compiled) -> Vec<NativeNeed> {
    let read = TABLES.iter().find_map(|(name, call)| {
        let table = package.metadata.get(name)?.as_object()?;
        scripts::has(package.build_script.as_deref(), &[call]).then_some(table)
    });
    let mut needs = Vec::new();
    for (key, value) in read.into_iter().flatten() {
        let shown = format!("{} {}", package.name, package.version);
        match value.as_object().filter(|_| key.starts_with("cfg(")) {
            // Which of them holds is the script's to find out.
            Some(inner) if !key.contains("linux") && !key.contains("unix") || inner.is_empty() => {}
            Some(inner) => {
                let names = inner.iter().filter_map(|(key, value)| name(key, value, package));
                needs.extend(names.map(|name| need(package, &name, shown.clone(), false)));
            }
            None => needs.extend(name(key, value, package).map(|name| need(package, &name, shown, true))),
        }
    }
    needs
}

fn need(package: &Compiled, name: &str, shown: String, certain: bool) -> NativeNeed {
    let of_name = name.to_uppercase().replace(['-', '.', '+'], "_");
    let variables = ["NO_PKG_CONFIG", "LIB", "BUILD_INTERNAL"].map(|end| format!("SYSTEM_DEPS_{of_name}_{end}"));
    NativeNeed::new(
        NativeFile::Library(name.to_owned()),
        package.side,
        vec![shown],
        certain,
        &variables.each_ref().map(String::as_str),
    )
}

/// The name by which pkg-config knows the library, if these features ask for it.
fn name(key: &str, value: &Value, package: &Compiled) -> Option<String> {
    let has = |feature: &str| package.features.iter().any(|own| own == feature);
    let Some(table) = value.as_object() else { return Some(key.to_owned()) };
    let is_asked_for = table.get("feature").and_then(Value::as_str).is_none_or(has);
    if !is_asked_for || table.get("optional") == Some(&Value::Bool(true)) {
        return None;
    }
    let own = |table: &Map<String, Value>| table.get("name").and_then(Value::as_str).map(str::to_owned);
    // A feature for a newer version may name another library.
    let newer = table.iter().filter(|(feature, _)| has(feature)).filter_map(|(_, value)| own(value.as_object()?)).next_back();
    newer.or_else(|| own(table)).or_else(|| Some(key.to_owned()))
}
