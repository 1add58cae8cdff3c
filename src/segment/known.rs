//! Sums of files that have not changed since they were read last.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::fs::{self, Stamp};

/// Remembers the sum of each file under its [`Stamp`], on disk from one run to the next.
pub struct KnownDigests {
    path: PathBuf,
    files: Mutex<Files>,
}

#[derive(Default)]
struct Files {
    known: KnownFiles,
    changed: bool,
}

#[derive(Default, Serialize, Deserialize)]
struct KnownFiles {
    /// The sum of a file's content.
    contents: BTreeMap<PathBuf, Known>,
    /// The `diff_id` of the layer that was made of a file, or the sum of what is kept of the image in it.
    layers: BTreeMap<PathBuf, Known>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Known {
    stamp: Stamp,
    /// Nanoseconds since the epoch, when the reading began.
    read: u128,
    digest: Digest,
}

/// A file as it was just before it was read.
#[derive(Clone, Copy, Debug)]
pub struct Stamped {
    stamp: Stamp,
    /// Nanoseconds since the epoch.
    read: u128,
}

impl Known {
    /// A file that changed in the same tick of the clock in which it was read keeps its stamp; such a stamp proves nothing.
    fn proves(&self, stamp: Stamp) -> bool {
        self.stamp == stamp && stamp.is_before(self.read)
    }
}

impl KnownDigests {
    /// What was remembered in this file; nothing if it is not there or not readable.
    pub fn load(path: &Path) -> Self {
        let known = std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Self { path: path.to_owned(), files: Mutex::new(Files { known, changed: false }) }
    }

    /// The sum and size of a file's content, read only if it may have changed.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn digest(&self, path: &Path) -> Result<(Digest, u64)> {
        let failed = || format!("failed to read `{}`", path.display());
        let stamped = self.stamp(path)?;
        if let Some(known) = self.files().known.contents.get(path).filter(|known| known.proves(stamped.stamp)) {
            return Ok((known.digest, stamped.stamp.size));
        }
        let file = std::fs::File::open(path).with_context(failed)?;
        let (digest, size) = Digest::of_reader(std::io::BufReader::with_capacity(256 * 1024, file)).with_context(failed)?;
        let mut files = self.files();
        files.known.contents.insert(path.to_owned(), Known { stamp: stamped.stamp, read: stamped.read, digest });
        files.changed = true;
        Ok((digest, size))
    }

    /// A file's stamp, taken before it is read.
    pub fn stamp(&self, path: &Path) -> Result<Stamped> {
        let stamp = Stamp::read(path).with_context(|| format!("failed to read `{}`", path.display()))?;
        Ok(Stamped { stamp, read: fs::now() })
    }

    /// The layer or image made of a file that has not changed since it was read; `None` if it has to be read.
    pub fn recall_layer(&self, path: &Path) -> Option<Digest> {
        let stamp = Stamp::read(path).ok()?;
        self.files().known.layers.get(path).filter(|known| known.proves(stamp)).map(|known| known.digest)
    }

    /// Keeps the sum of the layer or image made of a file that was read after it was stamped.
    pub fn remember_layer(&self, path: &Path, stamped: Stamped, digest: Digest) {
        let mut files = self.files();
        files.known.layers.insert(path.to_owned(), Known { stamp: stamped.stamp, read: stamped.read, digest });
        files.changed = true;
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what changed; files that are gone are forgotten.
    pub fn save(&self) -> Result<()> {
        let mut files = self.files();
        if files.changed {
            files.known.contents.retain(|path, _| path.exists());
            files.known.layers.retain(|path, _| path.exists());
            fs::write(&self.path, &serde_json::to_vec(&files.known)?)?;
            files.changed = false;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changed_is_read_again() {
        let folder = tempfile::tempdir().expect("folder");
        let (file, store) = (folder.path().join("f"), folder.path().join("known.json"));
        std::fs::write(&file, "one").expect("written");
        let known = KnownDigests::load(&store);
        assert_eq!(known.digest(&file).expect("read"), (Digest::of("one"), 3));
        known.save().expect("saved");
        // The same length, at once: only a cautious reading of the stamp sees it.
        std::fs::write(&file, "two").expect("written");
        let known = KnownDigests::load(&store);
        assert_eq!(known.digest(&file).expect("read").0, Digest::of("two"));
        assert!(known.digest(&folder.path().join("none")).is_err());
    }
}
