//! The user's Cargo configuration, as far as it determines which flags may be added (Cargo book, "Configuration").

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use toml::{Table, Value};

/// All configuration that applies. The command line takes precedence over the environment, which takes precedence over files.
#[derive(Clone, Debug, Default)]
pub struct CargoSettings {
    typed: Vec<Table>,
    files: Vec<Table>,
}

impl CargoSettings {
    /// Reads `--config` arguments, `.cargo/config.toml` from here upward, and Cargo's home.
    ///
    /// # Errors
    /// When a file is not TOML.
    pub fn read(arguments: &[String]) -> Result<Self> {
        Self::read_in(&std::env::current_dir().context("failed to find the current folder")?, arguments)
    }

    /// As [`CargoSettings::read`], from a folder upward.
    ///
    /// # Errors
    /// When a file is not TOML.
    pub fn read_in(folder: &Path, arguments: &[String]) -> Result<Self> {
        // Later arguments take precedence.
        let typed = arguments.iter().rev().map(|argument| {
            let path = Path::new(argument);
            if path.is_file() { read(path) } else { Ok(argument.parse().unwrap_or_default()) }
        });
        let files = cargo_config2::Walk::new(folder).map(|path| read(&path));
        Ok(Self { typed: typed.collect::<Result<_>>()?, files: files.collect::<Result<_>>()? })
    }

    /// The strongest value at a path of keys; the environment counts as Cargo does it.
    pub fn get(&self, path: &[&str]) -> Option<Value> {
        let variable = format!("CARGO_{}", path.join("_").to_uppercase().replace(['-', '.'], "_"));
        let of_environment = || {
            let value = std::env::var_os(OsString::from(variable))?;
            Some(Value::String(value.to_string_lossy().into_owned()))
        };
        let of = |tables: &[Table]| tables.iter().find_map(|table| at(table, path)).cloned();
        of(&self.typed).or_else(of_environment).or_else(|| of(&self.files))
    }

    /// The compiler that Cargo runs.
    pub fn rustc(&self) -> PathBuf {
        let of_files = || self.get(&["build", "rustc"])?.as_str().map(PathBuf::from);
        std::env::var_os("RUSTC").map(PathBuf::from).or_else(of_files).unwrap_or_else(|| PathBuf::from("rustc"))
    }

    /// Whether a key is set for a target, under its triple or any `cfg(…)`.
    pub fn has_for_target(&self, triple: &str, key: &str) -> bool {
        self.get(&["target", triple, key]).is_some()
            || self
                .typed
                .iter()
                .chain(&self.files)
                .filter_map(|table| table.get("target")?.as_table())
                .any(|targets| targets.iter().any(|(name, target)| name.starts_with("cfg(") && target.get(key).is_some()))
    }
}

fn at<'a>(table: &'a Table, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    let value = table.get(*first)?;
    if rest.is_empty() { Some(value) } else { at(value.as_table()?, rest) }
}

fn read(path: &Path) -> Result<Table> {
    let text = fs_err::read_to_string(path)?;
    text.parse().with_context(|| format!("failed to parse `{}`", path.display()))
}
