//! The words of a command: assignments, redirections, variables.

use std::collections::BTreeMap;

/// Whether it is `NAME=VALUE`; a plain value is kept.
pub fn assigned(text: &str, variables: &mut BTreeMap<String, String>) -> bool {
    let Some((name, value)) = text.split_once('=') else { return false };
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !is_name {
        return false;
    }
    let words = words(value, variables);
    match &words[..] {
        [one] if !one.contains(['$', '`']) => drop(variables.insert(name.to_owned(), one.clone())),
        // A command follows the assignment.
        [_, _, ..] if !value.contains("$(") && !value.contains('`') => return false,
        _ => drop(variables.remove(name)),
    }
    true
}

/// Without `2>&1` and the like, and whether it writes to a file.
pub fn without_redirections(text: &str) -> (String, bool) {
    let mut kept = Vec::new();
    let mut writes = false;
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        let bare = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '&');
        if bare.starts_with("<<") {
            words.next();
            continue;
        }
        match bare.strip_prefix('>').filter(|_| !word.starts_with(['"', '\''])) {
            Some(rest) => {
                let to = rest.trim_start_matches('>');
                let to = if to.is_empty() { words.next().unwrap_or_default() } else { to };
                writes |= !to.starts_with('&') && to.trim_matches('"') != "/dev/null" && to != "/dev/stderr";
            }
            None => kept.push(word),
        }
    }
    (kept.join(" "), writes)
}

/// The words of a command, with the variables that are known.
pub fn words(text: &str, variables: &BTreeMap<String, String>) -> Vec<String> {
    let mut text = text.to_owned();
    for (name, value) in variables {
        text = text.replace(&format!("${{{name}}}"), value);
        // `$NAME` must not be the beginning of a longer name.
        let short = format!("${name}");
        let mut from = 0;
        while let Some(at) = text[from..].find(&short).map(|at| at + from) {
            let end = at + short.len();
            let goes_on = text[end..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            if goes_on {
                from = end;
            } else {
                text.replace_range(at..end, value);
                from = at + value.len();
            }
        }
    }
    let words = crate::process::split(&text).unwrap_or_else(|_| text.split_whitespace().map(str::to_owned).collect());
    with_folders(words)
}

/// Replaces the words of `dirname PATH`, in back-ticks or `$()`, by the path's folder.
fn with_folders(words: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::with_capacity(words.len());
    for word in words {
        let end = match kept.last().map(String::as_str) {
            Some("`dirname") => '`',
            Some("$(dirname") => ')',
            _ => {
                kept.push(word);
                continue;
            }
        };
        let folder = word.strip_suffix(end).and_then(|path| path.rsplit_once('/')).filter(|_| !word.contains('$'));
        match folder {
            Some((folder, _)) => *kept.last_mut().expect("the word before") = folder.to_owned(),
            None => kept.push(word),
        }
    }
    kept
}
