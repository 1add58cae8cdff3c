//! Reads a maintainer script without running it: which of its commands a new installation would reach, and what each does.
//!
//! No shell is repeated here. Branches that only an upgrade takes are passed over, all others are taken, and each command must be one
//! whose effect is known ([`command`]).

mod command;
mod effects;
mod local_folders;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use self::local_folders::LocalFolder;
use super::setup::Setup;
use crate::debian::parcel::Parcel;

/// What a new installation calls scripts with (deb-postinst(5)).
const ACTIONS: [&str; 3] = ["configure", "install", "*"];

/// A script.
pub struct Script {
    /// Lines as the shell joins them.
    lines: Vec<String>,
    functions: BTreeSet<String>,
    /// Folders below `/usr/local`.
    local: Vec<LocalFolder>,
}

/// A branch that is being read.
enum Branch {
    If { skipped: bool },
    Case { of_action: bool, skipped: bool },
}

impl Branch {
    fn is_skipped(&self) -> bool {
        match self {
            Self::If { skipped } | Self::Case { skipped, .. } => *skipped,
        }
    }
}

impl Script {
    /// Takes the text of a script.
    pub fn new(text: &str) -> Self {
        let (text, local) = local_folders::taken_out(text);
        let lines = logical_lines(&text);
        let functions = lines.iter().filter_map(|line| {
            let name = line.split("()").next().filter(|_| line.contains("()"))?.trim();
            let name = name.strip_prefix("function ").unwrap_or(name).trim();
            let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
            is_name.then(|| name.to_owned())
        });
        let functions = functions.collect();
        Self { lines, functions, local }
    }

    /// Does in the tree what the script would do; gives the lines that are not understood.
    ///
    /// # Errors
    /// When a file of the tree cannot be read.
    pub fn run(&self, setup: &mut Setup<'_>, parcel: &Parcel) -> Result<Vec<String>> {
        let mut unknown = Vec::new();
        let mut branches: Vec<Branch> = Vec::new();
        let mut variables: BTreeMap<String, String> = BTreeMap::new();
        variables.insert("DPKG_ROOT".into(), String::new());
        variables.insert("DPKG_MAINTSCRIPT_PACKAGE".into(), parcel.name.clone());
        for LocalFolder { path, mode, group } in &self.local {
            setup.accounts.wanted(group, true);
            setup.folder(path, group, *mode);
        }
        for line in &self.lines {
            // What follows is never reached.
            if line.trim_end() == "exit 0" && branches.is_empty() && self.functions.is_empty() {
                break;
            }
            let mut rest = line.trim();
            if let Some(Branch::Case { of_action, skipped }) = branches.last_mut()
                && let Some((patterns, after)) = pattern(rest)
            {
                *skipped = *of_action && !has_action(patterns);
                rest = after;
            }
            if rest.contains("()") && rest.split("()").next().is_some_and(|name| self.functions.contains(name.trim())) {
                rest = rest.split_once("()").map_or("", |(_, after)| after);
            }
            // `[ -n "$2" ] && COMMAND`
            let is_chain = !rest.starts_with("if ") && !rest.starts_with("elif ") && !rest.contains("||");
            if is_chain && rest.split_once("&&").is_some_and(|(test, _)| is_of_upgrade_alone(test)) {
                continue;
            }
            for (part, is_end_of_case) in parts(rest) {
                let mut words = part.trim().trim_start_matches('(').trim_start();
                loop {
                    let (first, after) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
                    match first {
                        "then" | "do" | "{" | "(" | "}" | ")" | "!" | "time" | "exec" | "while" | "until" => {
                            words = after.trim_start();
                        }
                        "if" | "elif" | "else" => {
                            if first != "if" {
                                branches.pop();
                            }
                            branches.push(Branch::If { skipped: first != "else" && is_of_upgrade(rest) });
                            words = after.trim_start();
                        }
                        "fi" | "esac" => {
                            branches.pop();
                            words = after.trim_start();
                        }
                        "case" => {
                            let subject = after.split_whitespace().next().unwrap_or_default();
                            branches.push(Branch::Case {
                                of_action: subject.contains("$1") || subject.contains("${1"),
                                skipped: false,
                            });
                            // A pattern may stand on the same line.
                            words = after.split_once(" in").map_or("", |(_, rest)| rest).trim();
                            if let Some((patterns, after)) = pattern(words) {
                                if let Some(Branch::Case { of_action, skipped }) = branches.last_mut() {
                                    *skipped = *of_action && !has_action(patterns);
                                }
                                words = after;
                            }
                        }
                        "for" | "done" | "select" => words = "",
                        _ => break,
                    }
                    if words.is_empty() {
                        break;
                    }
                }
                let words = words.trim_end_matches([')', '}']).trim();
                let is_skipped = branches.iter().any(Branch::is_skipped);
                if !words.is_empty()
                    && !is_skipped
                    && !self.functions.contains(words.split_whitespace().next().unwrap_or_default())
                {
                    let known = command::run(words, &mut variables, setup, parcel)?;
                    if !known && !unknown.contains(&line.trim().to_owned()) {
                        unknown.push(line.trim().to_owned());
                    }
                }
                if is_end_of_case && let Some(Branch::Case { skipped, .. }) = branches.last_mut() {
                    *skipped = false;
                }
            }
        }
        Ok(unknown)
    }
}

/// A pattern of `case` at the beginning of a line, and what follows it.
fn pattern(line: &str) -> Option<(&str, &str)> {
    let inner = line.strip_prefix('(').unwrap_or(line);
    let (pattern, rest) = inner.split_once(')')?;
    let is_pattern = |c: char| c.is_alphanumeric() || "|*?-_ \"'/.:$[]".contains(c);
    (!pattern.is_empty() && pattern.chars().all(is_pattern) && !pattern.starts_with(['[', '$']) && !pattern.contains(" -"))
        .then(|| (pattern, rest.trim_start()))
}

/// Whether a new installation takes one of these patterns of `case "$1"`.
fn has_action(patterns: &str) -> bool {
    patterns.split('|').any(|pattern| ACTIONS.contains(&pattern.trim().trim_matches(['"', '\''])))
}

/// Whether only an upgrade, a trigger or a running system takes the branch of a condition.
fn is_of_upgrade(condition: &str) -> bool {
    let condition = condition.split("; then").next().unwrap_or(condition);
    let tight: String = condition.split_whitespace().collect::<Vec<_>>().join(" ").replace("${2}", "$2").replace("${2:-}", "$2");
    let tight = tight.replace("${1}", "$1").replace('\'', "\"");
    if tight.contains("||") || tight.contains(" -o ") {
        // Any of them may be true.
        return tight.replace(" -o ", "||").split("||").all(is_of_upgrade_alone);
    }
    is_of_upgrade_alone(&tight)
}

fn is_of_upgrade_alone(condition: &str) -> bool {
    let condition = condition.trim().trim_start_matches("if ").trim_start_matches("elif ");
    if condition.starts_with("! ") {
        return false;
    }
    let has = |texts: &[&str]| texts.iter().any(|text| condition.contains(text));
    let of_version =
        has(&["-n \"$2\"", "-n $2", "\"$2\" != \"\"", "\"x$2\" != \"x\"", "x\"$2\" != x", "\"x$2\" != x", "x$2\" != \"x\""])
            || (condition.contains("compare-versions")
                && has(&[" lt-nl ", " le-nl ", " gt ", " ge ", " eq "])
                && condition.contains("$2"));
    let of_action =
        ["triggered", "upgrade", "remove", "purge", "deconfigure", "abort-upgrade", "abort-remove", "reconfigure", "disappear"]
            .iter()
            .any(|action| {
                let forms = [
                    format!("\"$1\" = \"{action}\""),
                    format!("\"$1\" = {action}"),
                    format!("$1 = {action}"),
                    format!("\"{action}\" = \"$1\""),
                    format!("\"$1\" == \"{action}\""),
                ];
                forms.iter().any(|form| condition.contains(form.as_str()))
            });
    of_version || of_action || has(&["-d /run/systemd/system"])
}

/// Lines as the shell joins them, without comments and the texts of here-documents.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut joined = String::new();
    let mut until: Option<String> = None;
    for line in text.lines() {
        if let Some(end) = &until {
            if line.trim() == end {
                until = None;
            }
            continue;
        }
        if joined.is_empty() && line.trim_start().starts_with('#') {
            continue;
        }
        if let Some(start) = line.strip_suffix('\\') {
            joined.push_str(start);
            joined.push(' ');
            continue;
        }
        joined.push_str(line);
        if let Some((_, mark)) = joined.split_once("<<").filter(|(_, mark)| !mark.starts_with('<')) {
            let mark = mark.trim_start_matches('-').split_whitespace().next().unwrap_or_default();
            until = Some(mark.trim_matches(['\'', '"', '\\']).to_owned()).filter(|mark| !mark.is_empty());
        }
        if let Some(at) = joined.find(" #").filter(|at| joined[..*at].matches(['"', '\'']).count().is_multiple_of(2)) {
            joined.truncate(at);
        }
        if !joined.trim().is_empty() {
            lines.push(std::mem::take(&mut joined));
        }
        joined.clear();
    }
    lines
}

/// The commands on a line, and whether each ends a branch of `case`.
fn parts(line: &str) -> Vec<(&str, bool)> {
    let bytes = line.as_bytes();
    let (mut parts, mut start, mut at) = (Vec::new(), 0, 0);
    let (mut quote, mut depth) = (0u8, 0u32);
    while at < bytes.len() {
        let byte = bytes[at];
        match byte {
            b'\\' => at += 1,
            b'\'' | b'"' if quote == 0 => quote = byte,
            byte if byte == quote => quote = 0,
            b'$' if quote != b'\'' && bytes.get(at + 1) == Some(&b'(') => {
                depth += 1;
                at += 1;
            }
            b'(' if depth > 0 => depth += 1,
            b')' if depth > 0 => depth -= 1,
            b'`' if quote != b'\'' => depth = u32::from(depth == 0),
            b';' | b'|' | b'&' if quote == 0 && depth == 0 => {
                // `2>&1` and `&>` are redirections.
                let redirects = byte == b'&' && (start < at && bytes[at - 1] == b'>' || bytes.get(at + 1) == Some(&b'>'));
                if !redirects {
                    let twice = bytes.get(at + 1) == Some(&byte);
                    parts.push((line.get(start..at).unwrap_or_default(), byte == b';' && twice));
                    at += usize::from(twice);
                    start = at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    parts.push((line.get(start..).unwrap_or_default(), false));
    parts
}
