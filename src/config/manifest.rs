//! A `Cargo.toml` whose values have locations in its text.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Problem;
use crate::diagnostic::{Code, split_help};

/// One step of a path to a nested value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Into a table.
    Key(&'a str),
    /// Into an array.
    Index(usize),
}

/// Where a value is in a manifest.
#[derive(Clone, Debug)]
pub struct Place {
    manifest: Manifest,
    span: Range<usize>,
}

impl Place {
    /// A problem with the value. The message's last line may be `help: …`.
    pub fn problem(&self, code: Code, message: impl Into<String>) -> Problem {
        self.manifest.problem_at(code, self.span.clone(), message)
    }
}

/// The text of a manifest.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The path to show to the user: relative to the current directory, if the file is below it.
    pub shown: PathBuf,
    /// The whole text.
    pub text: Arc<str>,
}

impl Manifest {
    /// Reads a manifest. Cargo has parsed it before, so it is valid TOML.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs_err::read_to_string(path)?;
        let here = std::env::current_dir().context("failed to find the current folder")?;
        let shown = path.strip_prefix(&here).unwrap_or(path).to_owned();
        Ok(Self { shown, text: text.into() })
    }

    /// The table at a path, with the location of each value in it.
    pub(super) fn with_value<T>(&self, path: &[Step<'_>], see: impl FnOnce(&Spanned<DeValue<'_>>) -> T) -> Option<T> {
        let root = DeTable::parse(&self.text).ok()?;
        let span = root.span();
        let root = Spanned::new(span, DeValue::Table(root.into_inner()));
        walk(&root, path).map(see)
    }

    /// The location of the value at a path, or, if there is no such value, of the nearest one that contains it.
    pub fn locate(&self, path: &[Step<'_>]) -> Range<usize> {
        for length in (0..=path.len()).rev() {
            if let Some(span) = self.with_value(&path[..length], |value| value.span()) {
                // A table written with a header of its own spans lines; its first one is enough.
                let end = self.text[span.clone()].find('\n').map_or(span.end, |at| span.start + at);
                return span.start..end;
            }
        }
        0..0
    }

    /// The place of the value at a path.
    pub fn place(&self, path: &[Step<'_>]) -> Place {
        Place { manifest: self.clone(), span: self.locate(path) }
    }

    /// The keys of the table at a path, each with its location; none if there is no table.
    pub(super) fn keys(&self, path: &[Step<'_>]) -> Vec<(String, Range<usize>)> {
        let keys = self.with_value(path, |value| {
            let table = value.get_ref().as_table()?;
            Some(table.iter().map(|(key, _)| (key.get_ref().to_string(), key.span())).collect())
        });
        keys.flatten().unwrap_or_default()
    }

    /// `workspace.package.version`.
    pub fn workspace_version(&self) -> Option<String> {
        let path = [Step::Key("workspace"), Step::Key("package"), Step::Key("version")];
        self.with_value(&path, |value| value.get_ref().as_str().map(str::to_owned)).flatten()
    }

    /// Creates a problem at the value at this path. The message's last line may be `help: …`.
    pub fn problem(&self, code: Code, path: &[Step<'_>], message: impl Into<String>) -> Problem {
        self.problem_at(code, self.locate(path), message)
    }

    pub(super) fn problem_at(&self, code: Code, span: Range<usize>, message: impl Into<String>) -> Problem {
        let message = message.into();
        let (message, help) = split_help(&message);
        Problem {
            file: self.shown.clone(),
            text: Arc::clone(&self.text),
            span,
            code,
            message: message.to_owned(),
            help: help.map(str::to_owned),
            instead: None,
            flag: None,
        }
    }
}

fn walk<'a, 'b>(value: &'a Spanned<DeValue<'b>>, path: &[Step<'_>]) -> Option<&'a Spanned<DeValue<'b>>> {
    let Some((step, rest)) = path.split_first() else { return Some(value) };
    let inner = match step {
        Step::Key(key) => value.get_ref().as_table()?.get(*key)?,
        Step::Index(index) => value.get_ref().as_array()?.get(*index)?,
    };
    walk(inner, rest)
}
