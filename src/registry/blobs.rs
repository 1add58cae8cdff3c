//! The user's cache of blobs from registries: `blobs/sha256/HEX` as in an OCI layout (image-layout.md).
//!
//! Several processes may share it: a blob gets its name once it is complete, and the least recently used blobs are only removed
//! while no other process holds the lock.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result};

use crate::digest::Digest;
use crate::fs::{self, Pending};
use crate::oci::{Descriptor, blob_path};

/// The size limit of the cache in bytes.
pub const BLOBS_CAP: u64 = 8 << 30;

/// The cache, locked so that other processes do not shrink it.
#[derive(Debug)]
pub struct Blobs {
    folder: PathBuf,
    lock: std::fs::File,
}

impl Blobs {
    /// Opens the user's cache, `$XDG_CACHE_HOME/cargo-appbundle`.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn of_user() -> Result<Self> {
        let named = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let folder = named.or_else(|| Some(std::env::home_dir()?.join(".cache")));
        Self::open(&folder.context("failed to find the cache directory: `HOME` is not set")?.join("cargo-appbundle"))
    }

    /// Opens the cache in a folder, creating it if needed.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn open(folder: &Path) -> Result<Self> {
        let blobs = folder.join("blobs/sha256");
        fs_err::create_dir_all(&blobs)?;
        let path = folder.join(".lock");
        let failed = || format!("failed to lock `{}`", path.display());
        let lock = std::fs::File::options().create(true).append(true).open(&path).with_context(failed)?;
        lock.lock_shared().with_context(failed)?;
        Ok(Self { folder: folder.to_owned(), lock })
    }

    /// The folder; [`blob_path`] gives a blob's path in it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(blob_path(digest))
    }

    /// Whether there is a blob of this length, which then counts as used now. The reader must check its digest.
    pub fn has(&self, blob: &Descriptor) -> bool {
        let Ok(file) = std::fs::File::options().append(true).open(self.path(&blob.digest)) else { return false };
        let _ = file.set_modified(SystemTime::now());
        file.metadata().is_ok_and(|metadata| metadata.len() == blob.size)
    }

    /// A small blob, if its digest is right.
    pub fn document(&self, digest: &Digest) -> Option<Vec<u8>> {
        let bytes = std::fs::read(self.path(digest)).ok()?;
        (Digest::of(&bytes) == *digest).then_some(bytes)
    }

    /// Stores a small blob.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, digest: &Digest, bytes: &[u8]) -> Result<()> {
        fs::write(&self.path(digest), bytes)
    }

    /// A temporary file for a blob; the caller commits it after checking it.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn begin(&self, digest: &Digest) -> Result<Pending> {
        Pending::new(&self.path(digest))
    }

    /// Removes the blobs that do not match their digests; returns whether there were any.
    pub fn heal<'a>(&self, blobs: impl IntoIterator<Item = &'a Descriptor>) -> bool {
        let mut healed = false;
        for blob in blobs {
            let path = self.path(&blob.digest);
            let Ok(file) = std::fs::File::open(&path) else { continue };
            let good =
                Digest::of_reader(std::io::BufReader::with_capacity(1 << 18, file)).is_ok_and(|(sum, _)| sum == blob.digest);
            if !good {
                healed |= std::fs::remove_file(&path).is_ok();
            }
        }
        healed
    }

    /// Removes the least recently used blobs until at most `cap` bytes are left, unless another process is using the cache.
    pub fn prune(self, cap: u64) {
        // Upgrade the shared lock to an exclusive one.
        if self.lock.unlock().is_err() || self.lock.try_lock().is_err() {
            return;
        }
        let folder = self.folder.join("blobs/sha256");
        fs::remove_leftovers(&folder);
        let mut entries: Vec<(SystemTime, u64, PathBuf)> = std::fs::read_dir(&folder)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| {
                let metadata = entry.metadata().ok()?;
                Some((metadata.modified().ok()?, metadata.len(), entry.path()))
            })
            .collect();
        entries.sort();
        let mut total: u64 = entries.iter().map(|(_, size, _)| size).sum();
        for (_, size, path) in entries {
            if total <= cap {
                break;
            }
            if std::fs::remove_file(&path).is_ok() {
                total -= size;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(bytes: &[u8]) -> Descriptor {
        Descriptor {
            media_type: String::new(),
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
            platform: None,
            annotations: Default::default(),
        }
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let folder = tempfile::tempdir().expect("folder");
        let open = || Blobs::open(folder.path()).expect("cache");
        let (old, new) = (blob(b"old"), blob(b"new"));
        let blobs = open();
        for bytes in [b"old", b"new"] {
            blobs.keep(&Digest::of(bytes), bytes).expect("kept");
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert!(blobs.has(&old) && blobs.has(&new) && !blobs.has(&blob(b"none")));
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert!(blobs.has(&old));
        let other = open();
        blobs.prune(3);
        assert!(other.document(&old.digest).is_some() && other.document(&new.digest).is_some(), "somebody else is using it");
        other.prune(3);
        let blobs = open();
        assert!(blobs.document(&old.digest).is_some() && blobs.document(&new.digest).is_none());
    }

    #[test]
    fn a_damaged_blob_is_not_given_and_goes() {
        let folder = tempfile::tempdir().expect("folder");
        let blobs = Blobs::open(folder.path()).expect("cache");
        blobs.keep(&Digest::of("good"), b"bad!").expect("kept");
        assert_eq!(blobs.document(&Digest::of("good")), None);
        assert!(blobs.heal([&blob(b"good")]) && !blobs.has(&blob(b"good")));
    }
}
