//! Parses `.env` and environment files as compose does.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::interpolation::text_of;

/// Turns the text of a file into variables. In values, `${NAME}` is what `known` returns, otherwise the file's own value above.
/// A name alone is a variable that `known` has.
///
/// # Errors
/// Names the line that cannot be parsed.
pub fn parse(text: &str, known: &dyn Fn(&str) -> Option<String>) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let text = text.trim_start_matches('\u{feff}');
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let line = text[..text.len() - rest.len()].matches('\n').count() + 1;
        if rest.is_empty() {
            return Ok(found);
        }
        let all = rest.split('\n').next().unwrap_or_default();
        if rest.starts_with('#') {
            rest = &rest[all.len()..];
            continue;
        }
        let variable = |name: &str| known(name).or_else(|| found.get(name).cloned());
        let entry = entry(rest, all, &variable).map_err(|error| error.context(format!("failed to parse line {line}")))?;
        rest = entry.rest;
        if let Some(value) = entry.value {
            found.insert(entry.name.to_owned(), value);
        }
    }
}

struct Entry<'a> {
    name: &'a str,
    value: Option<String>,
    /// What follows it.
    rest: &'a str,
}

/// Parses the variable at the start of `text`, whose first line is `line`.
fn entry<'a>(text: &'a str, line: &'a str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Entry<'a>> {
    let start = line.strip_prefix("export").filter(|rest| rest.starts_with(char::is_whitespace)).unwrap_or(line).trim_start();
    let end = start.find(['=', ':']).unwrap_or(start.len());
    let name = start[..end].trim_end();
    if name.contains(char::is_whitespace) {
        bail!("the name `{name}` contains a space");
    }
    let is_allowed = |c: char| c.is_alphanumeric() || "_.-[]".contains(c);
    if let Some(other) = name.chars().find(|c| !is_allowed(*c)) {
        bail!("`{other}` is not allowed in a name");
    }
    if name.is_empty() {
        bail!("there is no name before `{}`", &start[end..=end]);
    }
    if end == start.len() {
        return Ok(Entry { name, value: variable(name), rest: &text[line.len()..] });
    }
    let value = start[end + 1..].trim_start();
    let from = line.len() - value.len();
    match value.chars().next().filter(|first| matches!(first, '"' | '\'')) {
        Some(quote) => {
            let (value, length) = quoted(&text[from + 1..], quote)?;
            let value = if quote == '"' { text_of(&value, variable)? } else { value };
            Ok(Entry { name, value: Some(value), rest: &text[from + 1 + length..] })
        }
        None => {
            let value = value.split(" #").next().unwrap_or_default().trim_end();
            Ok(Entry { name, value: Some(text_of(value, variable)?), rest: &text[line.len()..] })
        }
    }
}

/// Reads up to the closing quote; returns the value, and the length of the text with the quote. Double quotes have escapes, of
/// which `\$` becomes `$$`, so that nothing is replaced there.
fn quoted(text: &str, quote: char) -> Result<(String, usize)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        if c == quote {
            return Ok((value, at + 1));
        }
        if c != '\\' {
            value.push(c);
            continue;
        }
        let escaped = match chars.next() {
            Some((_, next)) if next == quote => next,
            Some((_, '$')) if quote == '"' => {
                value.push('$');
                '$'
            }
            Some((_, next)) => {
                let plain = [
                    ('\\', '\\'),
                    ('n', '\n'),
                    ('r', '\r'),
                    ('t', '\t'),
                    ('a', '\x07'),
                    ('b', '\x08'),
                    ('f', '\x0c'),
                    ('v', '\x0b'),
                ];
                match plain.iter().find(|(name, _)| quote == '"' && *name == next) {
                    Some((_, meant)) => *meant,
                    None => {
                        value.push('\\');
                        next
                    }
                }
            }
            None => break,
        };
        value.push(escaped);
    }
    bail!("the quote `{quote}` is not closed");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_told_with_their_line() {
        let none = |_: &str| None;
        for (text, told) in [
            ("A=1\nB C=2\n", "failed to parse line 2: the name `B C` contains a space"),
            ("A=\"x\ny\"\n\"Q\"=1", "failed to parse line 3: `\"` is not allowed in a name"),
            ("A=1\n=2", "failed to parse line 2: there is no name before `=`"),
            ("A=1\nB='x\n", "failed to parse line 2: the quote `'` is not closed"),
            ("A=${B:?set it}", "failed to parse line 1: the variable `B` must be set: set it"),
            ("A=${B", "failed to parse line 1: `${B` has an unclosed brace"),
        ] {
            let error = format!("{:#}", parse(text, &none).expect_err(text));
            assert!(error.starts_with(told), "{error}");
        }
    }
}
