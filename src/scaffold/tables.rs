//! The tables of an app and its services, in manifests that are there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value, value};

use super::app_table::{self, AppAdded, AppKeys, below};
use super::discovered::Discovered;
use super::found_bin::FoundBin;
use crate::workspace::{Member, Workspace};

/// A service to be, or an executable that is left out.
#[derive(Debug)]
pub struct WantedService<'a> {
    /// The executable, and what its table says.
    pub candidate: FoundBin<'a>,
    /// Why its table is written as a comment.
    pub left_out: Option<String>,
}

/// Manifests with tables that are not written yet.
#[derive(Debug)]
pub struct PreparedTables {
    /// Each manifest that changes: its path, its text, and its text with the tables.
    pub changes: Vec<(PathBuf, String, String)>,
    /// What was done to the app's table.
    pub app: AppAdded,
}

/// Adds the app's table to the root manifest, and a service's table for each of these executables to its member's manifest; for those
/// that are left out, as comments. Comments and all else stay.
///
/// # Errors
/// When a manifest cannot be read.
pub fn prepare(workspace: &Workspace, keys: &AppKeys, services: &[WantedService<'_>]) -> Result<PreparedTables> {
    let mut edited: Vec<(PathBuf, DocumentMut, String)> = Vec::new();
    for member in &workspace.members {
        let of_member = services.iter().filter(|service| service.candidate.member.manifest == member.manifest);
        let (left_out, taken): (Vec<_>, Vec<_>) = of_member.partition(|service| service.left_out.is_some());
        let mut manifest = parse(&member.manifest)?;
        add_services(&mut manifest, member, &taken)?;
        let comments = comments(&manifest, member, &left_out)?;
        edited.push((member.manifest.clone(), manifest, comments));
    }
    let root = workspace.manifest();
    let at = edited.iter().position(|(path, ..)| *path == root);
    let (_, mut manifest, comments) =
        at.map_or_else(|| Ok((root.clone(), parse(&root)?, String::new())), |at| anyhow::Ok(edited.remove(at)))?;
    let app = app_table::add(&mut manifest, keys)?;
    edited.push((root, manifest, comments));
    let mut changes = Vec::new();
    for (path, manifest, comments) in edited {
        let (old, new) = (fs_err::read_to_string(&path)?, manifest.to_string() + &comments);
        if old != new {
            changes.push((path, old, new));
        }
    }
    Ok(PreparedTables { changes, app })
}

/// The highest version among the services, if they have several and the workspace says none.
///
/// # Errors
/// When the root manifest cannot be read.
pub fn version_of_app(workspace: &Workspace, services: &[WantedService<'_>]) -> Result<Option<String>> {
    let manifest = parse(&workspace.manifest())?;
    if manifest.get("workspace").and_then(|table| table.get("package")?.get("version")).is_some() {
        return Ok(None);
    }
    let there = workspace.members.iter().filter(|member| member.metadata.get("service").is_some());
    let taken = services.iter().filter(|service| service.left_out.is_none()).map(|service| service.candidate.member);
    let versions: BTreeSet<_> = there.chain(taken).map(|member| &member.version).collect();
    Ok(versions.last().filter(|_| versions.len() > 1).map(ToString::to_string))
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

fn add_services(manifest: &mut DocumentMut, member: &Member, services: &[&WantedService<'_>]) -> Result<()> {
    if services.is_empty() {
        return Ok(());
    }
    let metadata = below(manifest, &["package", "metadata"])?;
    metadata.insert("service", tables(member, services));
    Ok(())
}

/// The tables of services as comments, each with the reason; nothing if the manifest has such comments already.
fn comments(manifest: &DocumentMut, member: &Member, left_out: &[&WantedService<'_>]) -> Result<String> {
    let text = manifest.to_string();
    let mut comments = String::new();
    if ["# [package.metadata.service]", "# [[package.metadata.service]]"].iter().any(|header| text.contains(header)) {
        return Ok(comments);
    }
    for service in left_out {
        let mut alone = DocumentMut::new();
        below(&mut alone, &["package", "metadata"])?.insert("service", tables(member, &[service]));
        let why = service.left_out.as_deref().unwrap_or_default();
        comments.push_str(&format!("\n# `{}` is left out: {why}. Without the `#`, it is a service:\n", service.candidate.bin));
        alone.to_string().trim().lines().for_each(|line| comments.push_str(&format!("# {line}\n")));
    }
    let needs_newline = !comments.is_empty() && !text.ends_with('\n');
    Ok(if needs_newline { format!("\n{comments}") } else { comments })
}

/// The value of `package.metadata.service`: a table if the member has a single executable, and otherwise a list.
fn tables(member: &Member, services: &[&WantedService<'_>]) -> Item {
    let of_member = |service: &WantedService<'_>| service.candidate.name == member.name && member.bins.len() == 1;
    if let [service] = services
        && of_member(service)
    {
        return Item::Table(table(&service.candidate));
    }
    let mut tables = ArrayOfTables::new();
    for service in services {
        let mut table = table(&service.candidate);
        let FoundBin { name, bin, .. } = &service.candidate;
        if *name != member.name || services.len() > 1 {
            table.insert("name", value(name));
        }
        table.insert("bin", value(bin));
        tables.push(table);
    }
    Item::ArrayOfTables(tables)
}

/// What was found of a service.
fn table(candidate: &FoundBin<'_>) -> Table {
    let Discovered { ports, health, environment, args, workdir, files, after, installed: _, sources: _ } = &candidate.found;
    let mut table = Table::new();
    if let Some(features) = candidate.member.required_features.get(&candidate.bin) {
        table.insert("features", value(features.iter().collect::<Array>()));
    }
    for (key, texts) in [("args", args), ("ports", ports), ("depends-on", after)] {
        if !texts.is_empty() {
            table.insert(key, value(texts.iter().collect::<Array>()));
        }
    }
    if let Some(folder) = workdir {
        table.insert("workdir", value(folder));
    }
    if !files.is_empty() {
        let entry = |(from, to): &(String, String)| InlineTable::from_iter([("from", from), ("to", to)]);
        table.insert("files", value(files.iter().map(entry).collect::<Array>()));
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
