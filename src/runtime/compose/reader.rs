//! Reads the keys of a compose service, in every form that compose allows.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use serde_json::{Map, Value};

use crate::runtime::Variables;
use crate::runtime::interpolation::scalar;

/// Reads keys of a service, and remembers which were not read.
pub struct Reader<'a> {
    service: &'a Map<String, Value>,
    /// Where relative paths start.
    pub folder: &'a Path,
    /// What it refers to.
    pub variables: &'a Variables,
    unread: Vec<&'a str>,
    ignored: Vec<String>,
}

impl<'a> Reader<'a> {
    /// Reads a service whose relative paths start at `folder`.
    pub fn new(service: &'a Map<String, Value>, folder: &'a Path, variables: &'a Variables) -> Self {
        Self { service, folder, variables, unread: service.keys().map(String::as_str).collect(), ignored: Vec::new() }
    }

    /// The keys that were not read, and the paths of those that were read but are not applied.
    pub fn unread(&self) -> impl Iterator<Item = &str> {
        self.unread.iter().copied().chain(self.ignored.iter().map(String::as_str))
    }

    /// Takes note of keys within a value that are not applied.
    pub fn ignore(&mut self, paths: Vec<String>) {
        self.ignored.extend(paths);
    }

    /// A value, unless it is null.
    pub fn take(&mut self, key: &str) -> Option<&'a Value> {
        self.unread.retain(|other| *other != key);
        self.service.get(key).filter(|value| !value.is_null())
    }

    /// A value as text.
    pub fn text(&mut self, key: &str) -> Option<String> {
        self.take(key).map(scalar)
    }

    /// A list of strings. A single string is a list of one.
    pub fn list(&mut self, key: &str) -> Vec<String> {
        match self.take(key) {
            Some(Value::Array(items)) => items.iter().map(scalar).collect(),
            Some(value @ Value::String(_)) => vec![scalar(value)],
            _ => Vec::new(),
        }
    }

    /// A command line, split into words.
    ///
    /// # Errors
    /// When its quotes are not closed.
    pub fn words(&mut self, key: &str) -> Result<Option<Vec<String>>> {
        match self.take(key) {
            None => Ok(None),
            Some(value @ Value::String(_)) => Ok(Some(crate::process::split(&scalar(value))?)),
            Some(_) => Ok(Some(self.list(key))),
        }
    }

    /// The environment. A variable without a value takes that of `variables`, or is left out if that is not set.
    pub fn environment(&mut self) -> BTreeMap<String, String> {
        let variables = self.variables;
        let handed_down = |name: &str| Some((name.to_owned(), variables.get(name)?));
        match self.take("environment") {
            Some(Value::Object(map)) => {
                let pairs = map.iter().filter_map(|(name, value)| match value {
                    Value::Null => handed_down(name),
                    value => Some((name.clone(), scalar(value))),
                });
                pairs.collect()
            }
            Some(Value::Array(items)) => {
                let pairs = items.iter().filter_map(|item| {
                    let text = scalar(item);
                    match text.split_once('=') {
                        Some((name, value)) => Some((name.to_owned(), value.to_owned())),
                        None => handed_down(&text),
                    }
                });
                pairs.collect()
            }
            _ => BTreeMap::new(),
        }
    }

    /// A map, or a list of `NAME=value`, as a map.
    pub fn pairs(&mut self, key: &str) -> BTreeMap<String, String> {
        match self.take(key) {
            Some(Value::Object(map)) => map.iter().map(|(name, value)| (name.clone(), scalar(value))).collect(),
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| {
                    let text = scalar(item);
                    let (name, value) = text.split_once('=').unwrap_or((&text, ""));
                    (name.to_owned(), value.to_owned())
                })
                .collect(),
            _ => BTreeMap::new(),
        }
    }

    /// The list `key`, or `under` if the key is missing.
    pub fn list_over(&mut self, key: &str, under: Vec<String>) -> Vec<String> {
        if self.service.contains_key(key) { self.list(key) } else { under }
    }

    /// A boolean, or `under` if the key is missing.
    pub fn flag(&mut self, key: &str, under: bool) -> bool {
        self.take(key).and_then(Value::as_bool).unwrap_or(under)
    }
}
