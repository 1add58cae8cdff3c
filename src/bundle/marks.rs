//! Saved hash states: a bundle that begins like the last one is only hashed from where it differs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::digest::{Digest, Mark, ResumableHasher};

/// Marks in images, by the key of what was hashed up to them.
pub struct Marks {
    path: PathBuf,
    known: BTreeMap<String, Mark>,
    /// The marks of this run.
    new: BTreeMap<String, Mark>,
}

impl Marks {
    /// Loads the marks of the last run; a damaged file counts as empty.
    pub fn load(path: &Path) -> Self {
        let known = std::fs::read(path)
            .ok()
            .and_then(|bytes| {
                let (sum, body) = bytes.split_at_checked(64)?;
                (Digest::of(body).hex().as_bytes() == sum).then_some(())?;
                serde_json::from_slice(body).ok()
            })
            .unwrap_or_default();
        Self { path: path.to_owned(), known, new: BTreeMap::new() }
    }

    /// The hash state after everything that `key` stands for.
    pub fn get(&self, key: &Digest) -> Option<ResumableHasher> {
        Some(self.known.get(&key.hex())?.resume())
    }

    /// Adds a mark.
    pub fn insert(&mut self, key: &Digest, mark: Mark) {
        self.new.insert(key.hex(), mark);
    }

    /// Keeps a mark of the last run.
    pub fn keep(&mut self, key: &Digest) {
        if let Some(mark) = self.known.get(&key.hex()) {
            self.new.insert(key.hex(), mark.clone());
        }
    }

    /// Replaces the file by the marks of this run.
    pub fn save(&self) -> anyhow::Result<()> {
        if self.new == self.known {
            return Ok(());
        }
        let body = serde_json::to_vec(&self.new)?;
        let mut bytes = Digest::of(&body).hex().into_bytes();
        bytes.extend(body);
        crate::fs::write(&self.path, &bytes)
    }
}
