//! The tables of an app and its services, in manifests that are there.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value, value};

use super::discovered::Discovered;
use crate::app::{Author, Name};
use crate::workspace::{Member, Workspace};

/// A service to be.
#[derive(Debug)]
pub struct WantedService {
    /// Its executable.
    pub bin: String,
    /// What its table says.
    pub found: Discovered,
}

/// Manifests with tables that are not written yet.
#[derive(Debug)]
pub struct PreparedTables {
    /// Each manifest that changes: its path, its text, and its text with the tables.
    pub changes: Vec<(PathBuf, String, String)>,
    /// Whether the app's table was there; then it stays as it is.
    pub had_app: bool,
}

/// Adds the app's table to the root manifest, and a service's table for each of these executables to its member's manifest.
/// Comments and all else stay.
///
/// # Errors
/// When a manifest cannot be read.
pub fn prepare(
    workspace: &Workspace,
    name: &Name,
    author: Option<&Author>,
    services: &[(&Member, Vec<WantedService>)],
) -> Result<PreparedTables> {
    let mut edited: Vec<(PathBuf, DocumentMut)> = Vec::new();
    for (member, services) in services {
        let mut manifest = parse(&member.manifest)?;
        add_services(&mut manifest, member, services)?;
        edited.push((member.manifest.clone(), manifest));
    }
    let root = workspace.manifest();
    let at = edited.iter().position(|(path, _)| *path == root);
    let mut manifest = at.map_or_else(|| parse(&root), |at| Ok(edited.remove(at).1))?;
    let had_app = add_app(&mut manifest, name, author)?;
    edited.push((root, manifest));
    let mut changes = Vec::new();
    for (path, manifest) in edited {
        let (old, new) = (fs_err::read_to_string(&path)?, manifest.to_string());
        if old != new {
            changes.push((path, old, new));
        }
    }
    Ok(PreparedTables { changes, had_app })
}

impl PreparedTables {
    /// Writes the manifests.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn write(&self) -> Result<()> {
        self.changes.iter().try_for_each(|(path, _, new)| crate::fs::write(path, new.as_bytes()))
    }
}

/// The lines of a text that an older one lacks, of which nothing was removed.
pub fn added<'a>(old: &str, new: &'a str) -> Vec<&'a str> {
    let mut rest = old.lines().peekable();
    new.lines().filter(|line| rest.next_if_eq(line).is_none()).filter(|line| !line.is_empty()).collect()
}

fn parse(path: &Path) -> Result<DocumentMut> {
    fs_err::read_to_string(path)?.parse().with_context(|| format!("failed to parse `{}`", path.display()))
}

fn add_services(manifest: &mut DocumentMut, member: &Member, services: &[WantedService]) -> Result<()> {
    let metadata = below(manifest, &["package", "metadata"])?;
    if let ([service], [_]) = (services, &member.bins[..])
        && Name::new(&member.name).is_ok()
    {
        metadata.insert("service", Item::Table(table(service)));
        return Ok(());
    }
    let mut tables = ArrayOfTables::new();
    for service in services {
        let mut table = table(service);
        let name = Name::near(&service.bin);
        if name != service.bin || services.len() > 1 || service.bin != member.name {
            table.insert("name", value(name));
        }
        table.insert("bin", value(&service.bin));
        tables.push(table);
    }
    metadata.insert("service", Item::ArrayOfTables(tables));
    Ok(())
}

/// What was found of a service.
fn table(service: &WantedService) -> Table {
    let Discovered { ports, health, environment, installed: _, sources: _ } = &service.found;
    let mut table = Table::new();
    if !ports.is_empty() {
        table.insert("ports", value(ports.iter().collect::<Array>()));
    }
    if let Some((path, port)) = health {
        let check = InlineTable::from_iter([("path", Value::from(path)), ("port", Value::from(i64::from(*port)))]);
        table.insert("healthcheck", value(check));
    }
    if !environment.is_empty() {
        table.insert(
            "environment",
            value(environment.iter().map(|(name, text)| (name, Value::from(text))).collect::<InlineTable>()),
        );
    }
    table
}

/// Adds the app's table; says whether it was there.
fn add_app(manifest: &mut DocumentMut, name: &Name, author: Option<&Author>) -> Result<bool> {
    let root = if manifest.contains_key("workspace") { "workspace" } else { "package" };
    let there = |root: &str| manifest.get(root).and_then(|item| item.get("metadata")?.get("appbundle")).is_some();
    if there("workspace") || there("package") {
        return Ok(true);
    }
    let metadata = below(manifest, &[root, "metadata"])?;
    let mut table = Table::new();
    table.insert("name", value(name.as_str()));
    if let Some(author) = author {
        table.insert("author", value(author.as_str()));
    }
    metadata.insert("appbundle", Item::Table(table));
    Ok(false)
}

/// A table in a table, made if it is missing without a header of its own.
fn below<'a>(manifest: &'a mut DocumentMut, path: &[&str]) -> Result<&'a mut dyn toml_edit::TableLike> {
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
