//! The variables that compose files and secrets refer to.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::dotenv;

/// The variables of this process, and those of a `.env` file that this process does not have.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    own: BTreeMap<String, String>,
    of_file: BTreeMap<String, String>,
}

impl Variables {
    /// Reads this process's environment, and the file `.env` in `folder` if there is one.
    ///
    /// # Errors
    /// When the file cannot be read or parsed.
    pub fn read(folder: &Path) -> Result<Self> {
        let text_of =
            |(name, value): (std::ffi::OsString, std::ffi::OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        let own = Self { own: std::env::vars_os().filter_map(text_of).collect(), of_file: BTreeMap::new() };
        let path = folder.join(".env");
        let text = match std::fs::read_to_string(&path) {
            // A folder of this name is none of our business; compose ignores it too.
            Err(_) if !path.is_file() => return Ok(own),
            text => text.with_context(|| format!("failed to read `{}`", path.display()))?,
        };
        let of_file =
            dotenv::parse(&text, &|name| own.get(name)).with_context(|| format!("failed to read `{}`", path.display()))?;
        Ok(Self { of_file, ..own })
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<String> {
        self.own.get(name).or_else(|| self.of_file.get(name)).cloned()
    }

    /// The variables of the file that this process does not have, as a child process needs them.
    pub fn beyond_process(&self) -> impl Iterator<Item = (&String, &String)> {
        self.of_file.iter().filter(|(name, _)| !self.own.contains_key(*name))
    }
}
