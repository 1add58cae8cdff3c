//! One entry of `files`.

use super::attributes;
use super::found::{MatchedFiles, expand};
use super::path::destination;
use super::places::Places;
use crate::app::{AppFile, Owner};
use crate::config::tables::FileTable;
use crate::diagnostic::Code;

/// What is wrong with an entry, and in which of its keys.
pub struct Wrong {
    pub code: Code,
    pub key: Option<&'static str>,
    pub message: String,
}

impl Wrong {
    fn new(code: Code, key: Option<&'static str>, message: String) -> Self {
        Self { code, key, message }
    }
}

/// What an entry names.
///
/// # Errors
/// All that is missing or not allowed.
pub fn resolve(table: &FileTable, places: &Places<'_>) -> Result<MatchedFiles, Vec<Wrong>> {
    let FileTable { from, link, folder: empty, to, mode, owner, exclude, dotfiles } = table;
    let sources = [("from", from), ("link", link), ("folder", empty)];
    let sources: Vec<(&str, &String)> = sources.into_iter().filter_map(|(key, value)| Some((key, value.as_ref()?))).collect();
    let (kind, named) = match sources[..] {
        [one] => one,
        [] => {
            return Err(vec![Wrong::new(Code::MissingKey, None, "an entry of `files` needs `from`, `link` or `folder`".into())]);
        }
        [(first, _), (second, _), ..] => {
            let message = format!("`{first}` and `{second}` exclude each other: write an entry of `files` for each");
            return Err(vec![Wrong::new(Code::ConflictingKeys, Some(if second == "link" { "link" } else { "folder" }), message)]);
        }
    };
    let mut wrong = Vec::new();
    let given = [
        ("to", to.is_some(), &["from", "link"][..]),
        ("mode", mode.is_some(), &["from", "folder"]),
        ("exclude", !exclude.is_empty(), &["from"]),
        ("dotfiles", dotfiles.is_some(), &["from"]),
    ];
    for (key, is_given, kinds) in given {
        if is_given && !kinds.contains(&kind) {
            let message = format!("`{key}` does not go with `{kind}`");
            wrong.push(Wrong::new(Code::ConflictingKeys, Some(key), message));
        }
    }
    let mut take = |key: &'static str, value: Result<(), String>| {
        wrong.extend(value.err().map(|message| Wrong::new(Code::InvalidFiles, Some(key), message)));
    };
    let mut bits = None;
    let mut owned = Owner::default();
    if let Some(text) = mode.as_deref().filter(|_| kind != "link") {
        take("mode", attributes::mode(text, kind == "folder").map(|mode| bits = Some(mode)));
    }
    if let Some(text) = owner {
        take("owner", attributes::owner(text).map(|owner| owned = owner));
    }
    let mut found = MatchedFiles::default();
    match (kind, to) {
        ("folder", _) => {
            let path = inside(named).map(|path| found.files.push(AppFile::folder(path, bits.unwrap_or(0o755), owned)));
            take("folder", path);
        }
        (_, None) => wrong.push(Wrong::new(Code::MissingKey, None, format!("`{kind}` in `files` needs `to`"))),
        ("link", Some(to)) => {
            let target = destination(to).map(|target| format!("/{target}"));
            match (inside(named), target) {
                (Ok(path), Ok(target)) => found.files.push(AppFile::link(path, target)),
                (path, target) => {
                    take("link", path.map(drop));
                    take("to", target.map(drop));
                }
            }
        }
        (_, Some(to)) => match expand(named, to, table, places) {
            Ok(matched) => found = matched,
            Err(message) => wrong.push(Wrong::new(Code::InvalidFiles, None, message)),
        },
    }
    for file in &mut found.files {
        file.owner = owned;
        if let Some(bits) = bits.filter(|_| file.from().is_some()) {
            file.mode = bits;
        }
    }
    if wrong.is_empty() { Ok(found) } else { Err(wrong) }
}

/// An absolute path in the image that is not its root.
fn inside(path: &str) -> Result<String, String> {
    match destination(path)?.as_str() {
        "" => Err(format!("`{path}` is the root folder")),
        path => Ok(format!("/{path}")),
    }
}
