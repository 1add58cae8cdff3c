//! The workspace's own `app.yml`.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::app::Name;
use crate::workspace::Workspace;

/// The workspace's own `app.yml` with the service at the end of `services`; comments and all else stay. None if it has none.
///
/// # Errors
/// When the file cannot be read, or has no line `services:`.
pub fn with_service(workspace: &Workspace, name: &Name) -> Result<Option<(PathBuf, String)>> {
    let path = workspace.root.join("app.yml");
    if !path.is_file() {
        return Ok(None);
    }
    let text = fs_err::read_to_string(&path)?;
    let lines: Vec<&str> = text.lines().collect();
    let by_hand =
        || format!("failed to add the service to `app.yml`\nhelp: add it under `services`, with `image: {name}:#VERSION#`");
    let start = lines.iter().position(|line| line.trim_end() == "services:").with_context(by_hand)?;
    let is_content = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let end = lines[start + 1..]
        .iter()
        .position(|line| is_content(line) && !line.starts_with(' '))
        .map_or(lines.len(), |at| start + 1 + at);
    let last = lines[start + 1..end].iter().rposition(is_content).map_or(start, |at| start + 1 + at);
    let first = lines[start + 1..end].iter().find(|line| is_content(line));
    let indent: String = first.map_or("  ".into(), |line| line.chars().take_while(|c| *c == ' ').collect());
    let added = [
        format!("{indent}{name}:"),
        format!("{indent}{indent}image: {name}:#VERSION#"),
        format!("{indent}{indent}container_name: {name}"),
    ];
    let mut all: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    all.splice(last + 1..last + 1, added);
    Ok(Some((path, all.join("\n") + "\n")))
}
