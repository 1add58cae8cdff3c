//! The keys of a service in a compose file, in all the forms that compose takes.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use serde_json::{Map, Value};

use crate::runtime::variables::scalar;

/// Takes keys of a service, and knows which were not taken.
pub struct Reader<'a> {
    service: &'a Map<String, Value>,
    /// Where relative paths begin.
    pub folder: &'a Path,
    unread: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    /// Reads a service whose relative paths begin at `folder`.
    pub fn new(service: &'a Map<String, Value>, folder: &'a Path) -> Self {
        Self { service, folder, unread: service.keys().map(String::as_str).collect() }
    }

    /// The keys that were not taken.
    pub fn unread(&self) -> impl Iterator<Item = &'a str> {
        self.unread.iter().copied()
    }

    /// A value that is not null.
    pub fn take(&mut self, key: &str) -> Option<&'a Value> {
        self.unread.retain(|other| *other != key);
        self.service.get(key).filter(|value| !value.is_null())
    }

    /// A value as text.
    pub fn text(&mut self, key: &str) -> Option<String> {
        self.take(key).map(scalar)
    }

    /// A list of strings; a single string is a command line, or one of them.
    pub fn list(&mut self, key: &str) -> Vec<String> {
        match self.take(key) {
            Some(Value::Array(items)) => items.iter().map(scalar).collect(),
            Some(value @ Value::String(_)) => vec![scalar(value)],
            _ => Vec::new(),
        }
    }

    /// A command line, in words.
    ///
    /// # Errors
    /// When its quotes do not close.
    pub fn words(&mut self, key: &str) -> Result<Option<Vec<String>>> {
        match self.take(key) {
            None => Ok(None),
            Some(value @ Value::String(_)) => Ok(Some(crate::process::split(&scalar(value))?)),
            Some(_) => Ok(Some(self.list(key))),
        }
    }

    /// Variables; one without a value has that of this process, or is not set.
    pub fn environment(&mut self) -> BTreeMap<String, String> {
        let handed_down = |name: &str| Some((name.to_owned(), std::env::var(name).ok()?));
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

    /// A map, or a list of `NAME=value`.
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

    /// `key`, or what is known without it.
    pub fn list_over(&mut self, key: &str, under: Vec<String>) -> Vec<String> {
        if self.service.contains_key(key) { self.list(key) } else { under }
    }

    /// True or false; `under` if it is not there.
    pub fn flag(&mut self, key: &str, under: bool) -> bool {
        self.take(key).and_then(Value::as_bool).unwrap_or(under)
    }
}
