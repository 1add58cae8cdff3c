//! The app's table in the root manifest.

use anyhow::{Context as _, Result};
use toml_edit::{Array, DocumentMut, Item, Table, Value};

/// Values for the app's table.
#[derive(Clone, Debug, Default)]
pub struct AppKeys {
    /// The app's name, and whether the user asked for it.
    pub name: (String, bool),
    /// The publisher.
    pub author: Option<String>,
    /// The version, if the services do not agree on one.
    pub version: Option<String>,
    /// The targets, if not the default.
    pub targets: Vec<String>,
    /// The formats, if not the default.
    pub formats: Vec<String>,
}

/// What was done to the app's table.
#[derive(Clone, Debug, Default)]
pub struct AppAdded {
    /// Whether it was there.
    pub was_there: bool,
    /// Keys with other values than asked for, each with its value.
    pub kept: Vec<(&'static str, String)>,
}

/// Adds the app's table. One that is there only gets an author, a version and targets if it lacks them.
///
/// # Errors
/// When something else is where the table goes.
pub fn add(manifest: &mut DocumentMut, keys: &AppKeys) -> Result<AppAdded> {
    let AppKeys { name: (name, is_asked_for), author, version, targets, formats } = keys;
    let list = |texts: &[String]| (!texts.is_empty()).then(|| Value::from(texts.iter().collect::<Array>()));
    let root = if manifest.contains_key("workspace") { "workspace" } else { "package" };
    let is_there = |root: &&str| manifest.get(root).and_then(|item| item.get("metadata")?.get("appbundle")).is_some();
    let Some(root) = ["workspace", "package"].into_iter().find(is_there) else {
        let values = [
            ("name", Some(name.into())),
            ("author", author.as_ref().map(Value::from)),
            ("version", version.as_ref().map(Value::from)),
            ("targets", list(targets)),
            ("formats", list(formats)),
        ];
        let mut table = Table::new();
        for (key, value) in values {
            value.into_iter().for_each(|value| drop(table.insert(key, Item::Value(value))));
        }
        below(manifest, &[root, "metadata"])?.insert("appbundle", Item::Table(table));
        return Ok(AppAdded::default());
    };
    let mut added = AppAdded { was_there: true, kept: Vec::new() };
    let table = below(manifest, &[root, "metadata", "appbundle"])?;
    let asked_for = [("name", is_asked_for.then_some(name)), ("author", author.as_ref()), ("version", version.as_ref())];
    for (key, text) in asked_for.into_iter().filter_map(|(key, text)| Some((key, text?))) {
        match table.get(key) {
            None => drop(table.insert(key, Item::Value(text.into()))),
            Some(there) if there.as_str() == Some(text) || key == "version" => {}
            Some(there) => added.kept.push((key, there.to_string().trim().to_owned())),
        }
    }
    if let Some(asked_for) = list(targets) {
        match table.get("targets") {
            None => drop(table.insert("targets", Item::Value(asked_for))),
            Some(there) if there.to_string().trim() == asked_for.to_string().trim() => {}
            Some(there) => added.kept.push(("targets", there.to_string().trim().to_owned())),
        }
    }
    Ok(added)
}

/// A table in a table, made if it is missing without a header of its own.
///
/// # Errors
/// When a key in the path is no table.
pub fn below<'a>(manifest: &'a mut DocumentMut, path: &[&str]) -> Result<&'a mut dyn toml_edit::TableLike> {
    let mut table: &mut dyn toml_edit::TableLike = manifest.as_table_mut();
    for key in path {
        let item = table.entry(key).or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        table = item.as_table_like_mut().with_context(|| format!("`{key}` in a manifest is not a table"))?;
    }
    Ok(table)
}
