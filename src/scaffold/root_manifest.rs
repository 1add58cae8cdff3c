//! The root manifest: what members inherit of it, and where they are registered.

use anyhow::{Context as _, Result};
use toml_edit::{Array, DocumentMut, Item, Table};

/// What a package takes from its workspace, as lines of its manifest; `version` is for one whose workspace has none.
pub fn inherited(manifest: &DocumentMut, version: &str) -> String {
    let of_workspace = |key: &str| manifest.get("workspace").and_then(|w| w.get("package")).and_then(|p| p.get(key)).is_some();
    let version = format!("\"{version}\"");
    let lines = [
        ("version", Some(version.as_str())),
        ("edition", Some("\"2024\"")),
        ("rust-version", None),
        ("license", None),
        ("publish", Some("false")),
    ];
    let line = |(key, default): (&str, Option<&str>)| match (of_workspace(key), default) {
        (true, _) => Some(format!("{key}.workspace = true")),
        (false, Some(default)) => Some(format!("{key} = {default}")),
        (false, None) => None,
    };
    lines.into_iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

/// Adds a member to the root manifest, unless a pattern covers it; says whether it changed anything.
///
/// # Errors
/// When `workspace.members` is no array.
pub fn register(manifest: &mut DocumentMut, relative: &str) -> Result<bool> {
    let workspace = manifest.entry("workspace").or_insert_with(|| Item::Table(Table::new()));
    let workspace = workspace.as_table_like_mut().context("`workspace` in the root manifest is not a table")?;
    let members = workspace.entry("members").or_insert_with(|| Item::Value(Array::new().into()));
    let members = members.as_array_mut().context("`workspace.members` in the root manifest is not an array")?;
    let covers = |pattern: &str| {
        let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
        let glob = globset::GlobBuilder::new(pattern).literal_separator(true).build();
        glob.is_ok_and(|glob| glob.compile_matcher().is_match(relative))
    };
    if members.iter().filter_map(|member| member.as_str()).any(covers) {
        return Ok(false);
    }
    // As the members before it are written, each on a line of its own or all on one.
    let prefix = members.iter().last().and_then(|last| last.decor().prefix()?.as_str().map(str::to_owned));
    members.push(relative);
    if let (Some(prefix), Some(last)) = (prefix.filter(|p| p.contains('\n')), members.len().checked_sub(1))
        && let Some(value) = members.get_mut(last)
    {
        // A comment before the last member stays with that one.
        let indent: String = prefix.rsplit('\n').next().unwrap_or_default().to_owned();
        value.decor_mut().set_prefix(format!("\n{indent}"));
        members.set_trailing_comma(true);
    }
    Ok(true)
}
