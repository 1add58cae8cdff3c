//! `cargo appbundle init`: an existing workspace is made ready.

use std::io::{IsTerminal as _, Write as _};

use anyhow::{Context as _, Result, bail};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use crate::app::{Author, Name};
use crate::shell::Shell;
use crate::workspace::{CargoOptions, Member, Workspace};

/// What was typed.
#[derive(Clone, Debug, Default)]
pub struct InitOptions {
    /// How Cargo is called.
    pub cargo: CargoOptions,
    /// Take all executables without asking.
    pub all: bool,
    /// The app's name.
    pub name: Option<String>,
    /// Who publishes it.
    pub author: Option<String>,
}

/// Writes the tables that are missing; those that are there stay.
pub fn run(options: &InitOptions, shell: &Shell) -> Result<()> {
    let workspace = Workspace::read(&options.cargo)?;
    let name = match &options.name {
        Some(name) => Name::new(name).map_err(anyhow::Error::msg)?,
        None => {
            let folder = workspace.root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            Name::new(&Name::near(&folder))
                .map_err(|_| anyhow::anyhow!("the folder's name cannot be the app's\nhelp: choose one with `--name NAME`"))?
        }
    };
    let author = options.author.as_deref().map(Author::new).transpose().map_err(anyhow::Error::msg)?;
    let mut chosen = Vec::new();
    for member in &workspace.members {
        if member.metadata.get("service").is_some() {
            shell.status("Kept", format_args!("the service table of `{}`", member.name));
            continue;
        }
        let bins = choose(member, options.all)?;
        if !bins.is_empty() {
            chosen.push((member, bins));
        }
    }
    let mut edited: Vec<(std::path::PathBuf, DocumentMut)> = Vec::new();
    for (member, bins) in &chosen {
        let mut manifest = parse(&member.manifest)?;
        add_services(&mut manifest, member, bins)?;
        edited.push((member.manifest.clone(), manifest));
    }
    let root = workspace.manifest();
    let at = edited.iter().position(|(path, _)| *path == root);
    let mut manifest = at.map_or_else(|| parse(&root), |at| Ok(edited.remove(at).1))?;
    let had_app = add_app(&mut manifest, &name, author.as_ref())?;
    edited.push((root, manifest));
    for (path, manifest) in edited {
        if crate::fs::write_if_changed(&path, manifest.to_string().as_bytes())? {
            shell.status("Wrote", path.display());
        }
    }
    if had_app {
        shell.status("Kept", "the app's table");
    }
    let has_service = !chosen.is_empty() || workspace.members.iter().any(|member| member.metadata.get("service").is_some());
    shell.note(match has_service {
        true => "next: `cargo appbundle doctor`, then `cargo appbundle build`",
        false => "next: `cargo appbundle new-service NAME`, for there is no service yet",
    });
    Ok(())
}

fn parse(path: &std::path::Path) -> Result<DocumentMut> {
    fs_err::read_to_string(path)?.parse().with_context(|| format!("failed to parse `{}`", path.display()))
}

/// The executables of a member that become services.
fn choose(member: &Member, all: bool) -> Result<Vec<String>> {
    if all {
        return Ok(member.bins.clone());
    }
    let mut chosen = Vec::new();
    for bin in &member.bins {
        if !std::io::stdin().is_terminal() {
            bail!(
                "there is no terminal to ask which executables become services\nhelp: take all with `cargo appbundle init --all`"
            );
        }
        eprint!("make `{bin}` of package `{}` a service? [Y/n] ", member.name);
        std::io::stderr().flush()?;
        let mut answer = String::new();
        if std::io::stdin().read_line(&mut answer)? == 0 {
            bail!("the question was not answered; nothing is changed");
        }
        if !answer.trim().to_lowercase().starts_with('n') {
            chosen.push(bin.clone());
        }
    }
    Ok(chosen)
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
