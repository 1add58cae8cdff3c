//! The grammar of Dockerfiles: instructions, and the lists and variables behind them.

use std::collections::BTreeMap;

/// The instructions, each on one line.
pub fn instructions(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut open = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        match line.strip_suffix('\\') {
            Some(part) => open += &format!("{part} "),
            None => all.push(std::mem::take(&mut open) + line),
        }
    }
    all.push(open);
    all
}

/// `["a", "b"]`, or the words of a line as the shell takes them.
pub fn list(text: &str) -> Vec<String> {
    serde_json::from_str(text).or_else(|_| crate::process::split(text)).unwrap_or_default()
}

/// `A=1 B="two words"`, or the old form `A two words`.
pub fn variables(text: &str) -> BTreeMap<String, String> {
    let words = crate::process::split(text).unwrap_or_default();
    let pairs: Option<Vec<(String, String)>> =
        words.iter().map(|word| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))).collect();
    match (pairs, text.split_once(char::is_whitespace)) {
        (Some(pairs), _) => pairs.into_iter().collect(),
        (None, Some((name, value))) => BTreeMap::from([(name.to_owned(), value.trim().to_owned())]),
        (None, None) => BTreeMap::new(),
    }
}
