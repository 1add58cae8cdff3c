//! The tables of an app and its services, in manifests that are there.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use crate::app::{Author, Name};
use crate::workspace::{Member, Workspace};

/// What [`add`] did.
#[derive(Debug)]
pub struct AddedTables {
    /// The manifests that changed.
    pub changed: Vec<PathBuf>,
    /// Whether the app's table was there; then it stays as it is.
    pub had_app: bool,
}

/// Adds the app's table to the root manifest, and a service's table for each of these executables to its member's manifest.
/// Comments and all else stay.
///
/// # Errors
/// When a manifest cannot be read or written.
pub fn add(
    workspace: &Workspace,
    name: &Name,
    author: Option<&Author>,
    services: &[(&Member, Vec<String>)],
) -> Result<AddedTables> {
    let mut edited: Vec<(PathBuf, DocumentMut)> = Vec::new();
    for (member, bins) in services {
        let mut manifest = parse(&member.manifest)?;
        add_services(&mut manifest, member, bins)?;
        edited.push((member.manifest.clone(), manifest));
    }
    let root = workspace.manifest();
    let at = edited.iter().position(|(path, _)| *path == root);
    let mut manifest = at.map_or_else(|| parse(&root), |at| Ok(edited.remove(at).1))?;
    let had_app = add_app(&mut manifest, name, author)?;
    edited.push((root, manifest));
    let mut changed = Vec::new();
    for (path, manifest) in edited {
        if crate::fs::write_if_changed(&path, manifest.to_string().as_bytes())? {
            changed.push(path);
        }
    }
    Ok(AddedTables { changed, had_app })
}

fn parse(path: &Path) -> Result<DocumentMut> {
    fs_err::read_to_string(path)?.parse().with_context(|| format!("failed to parse `{}`", path.display()))
}

fn add_services(manifest: &mut DocumentMut, member: &Member, bins: &[String]) -> Result<()> {
    let metadata = below(manifest, &["package", "metadata"])?;
    let only = member.bins.len() == 1 && Name::new(&member.name).is_ok();
    if only {
        metadata.insert("service", Item::Table(Table::new()));
        return Ok(());
    }
    let mut tables = ArrayOfTables::new();
    for bin in bins {
        let mut table = Table::new();
        let name = Name::near(bin);
        if name != *bin || bins.len() > 1 || *bin != member.name {
            table.insert("name", value(name));
        }
        table.insert("bin", value(bin));
        tables.push(table);
    }
    metadata.insert("service", Item::ArrayOfTables(tables));
    Ok(())
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
