//! Segments on disk: `KEY.gz` holds the bytes, `KEY.json` what is known of them. Both appear by renaming, the description
//! last; afterwards only the blob's digest is added to it, once somebody asked for it.

use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::{Key, Segment};
use crate::digest::{Digest, Hasher};
use crate::fs::{self, Pending};

/// A folder of segments. The caller holds a lock against other processes that prune it.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

/// What `KEY.json` says.
#[derive(Serialize, Deserialize)]
struct Description {
    #[serde(flatten)]
    segment: Segment,
    /// Sum of the compressed bytes, if it was ever needed: an `.auterionos` file is made without.
    digest: Option<Digest>,
}

/// A segment whose bytes are not what was written. Removing it and building again mends it.
#[derive(Debug)]
pub struct Damaged(pub Key);

impl std::fmt::Display for Damaged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the cached layer `{}` is damaged", self.0.name())
    }
}

impl std::error::Error for Damaged {}

impl Cache {
    /// The cache in this folder, which need not exist yet.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn bytes_path(&self, key: Key) -> PathBuf {
        self.folder.join(key.name() + ".gz")
    }

    fn description_path(&self, key: Key) -> PathBuf {
        self.folder.join(key.name() + ".json")
    }

    /// The segment under a key, if it is there and has its length. Its content is checked when it is read.
    pub fn get(&self, key: Key) -> Option<Segment> {
        let segment = self.description(key)?.segment;
        let length = std::fs::metadata(self.bytes_path(key)).ok()?.len();
        if segment.key != key || segment.compressed != length {
            return None;
        }
        Some(segment)
    }

    fn description(&self, key: Key) -> Option<Description> {
        serde_json::from_slice(&std::fs::read(self.description_path(key)).ok()?).ok()
    }

    /// The digest of a segment as a blob: the sum of its compressed bytes. They are read for it once.
    ///
    /// # Errors
    /// [`Damaged`] when the bytes are not those that were written, or what is known of it cannot be.
    pub fn digest(&self, segment: &Segment) -> Result<Digest> {
        if let Some(Description { digest: Some(digest), .. }) = self.description(segment.key) {
            return Ok(digest);
        }
        let mut hasher = Hasher::default();
        self.read(segment, |block, _| {
            hasher.update(block);
            Ok(())
        })?;
        let digest = hasher.finish();
        self.describe(segment, Some(digest))?;
        Ok(digest)
    }

    fn describe(&self, segment: &Segment, digest: Option<Digest>) -> Result<()> {
        let description = Description { segment: segment.clone(), digest };
        fs::write(&self.description_path(segment.key), &serde_json::to_vec(&description)?)
    }

    /// The file that holds a segment's compressed bytes. It is not to be changed.
    pub fn path(&self, segment: &Segment) -> PathBuf {
        self.bytes_path(segment.key)
    }

    /// A place to write a new segment's bytes to.
    pub(super) fn begin(&self) -> Result<Pending> {
        Pending::new(&self.folder.join("segment"))
    }

    /// Keeps what was written to [`Cache::begin`], and its sum if it is known.
    pub(super) fn keep(&self, bytes: Pending, segment: &Segment, digest: Option<Digest>) -> Result<()> {
        bytes.commit_as(&self.bytes_path(segment.key))?;
        self.describe(segment, digest)
    }

    /// Removes an entry.
    pub fn remove(&self, key: Key) {
        let _ = std::fs::remove_file(self.description_path(key));
        let _ = std::fs::remove_file(self.bytes_path(key));
    }

    /// Gives a segment's bytes in blocks, each with its CRC-32.
    ///
    /// # Errors
    /// [`Damaged`] when the bytes are not those that were written; then some were given already, and the caller must drop
    /// what it made of them.
    pub fn read(&self, segment: &Segment, mut take: impl FnMut(&[u8], &crc32fast::Hasher) -> Result<()>) -> Result<()> {
        let path = self.bytes_path(segment.key);
        let file = std::fs::File::open(&path).map_err(|_| Damaged(segment.key))?;
        let mut reader = file.take(segment.compressed + 1);
        let mut sum = crc32fast::Hasher::new();
        let (mut buffer, mut size) = (vec![0; 256 * 1024], 0);
        loop {
            let count = reader.read(&mut buffer).with_context(|| format!("failed to read `{}`", path.display()))?;
            if count == 0 {
                break;
            }
            size += count as u64;
            if size > segment.compressed {
                return Err(Damaged(segment.key).into());
            }
            let mut crc = crc32fast::Hasher::new();
            crc.update(&buffer[..count]);
            sum.combine(&crc);
            take(&buffer[..count], &crc)?;
        }
        if size != segment.compressed || sum.finalize() != segment.crc32 {
            return Err(Damaged(segment.key).into());
        }
        Ok(())
    }

    /// The segment's compressed bytes, unchecked.
    pub fn open(&self, segment: &Segment) -> Result<BufReader<std::fs::File>> {
        Ok(BufReader::with_capacity(
            256 * 1024,
            std::fs::File::open(self.bytes_path(segment.key)).map_err(|_| Damaged(segment.key))?,
        ))
    }

    /// Says that these segments were used now.
    pub fn touch<'a>(&self, used: impl IntoIterator<Item = &'a Segment>) {
        let now = SystemTime::now();
        for segment in used {
            if let Ok(file) = std::fs::File::options().append(true).open(self.description_path(segment.key)) {
                let _ = file.set_modified(now);
            }
        }
    }

    /// Removes what was not used for the longest time until at most `cap` bytes are left, and what belongs to nothing;
    /// gives the bytes that went.
    pub fn prune(&self, cap: u64) -> u64 {
        let mut entries: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        let mut removed = 0;
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_none_or(|e| e != "gz") {
                continue;
            }
            let size = entry.metadata().map_or(0, |m| m.len());
            match std::fs::metadata(path.with_extension("json")).and_then(|m| m.modified()) {
                Ok(used) => entries.push((used, size, path)),
                Err(_) => {
                    removed += size;
                    let _ = std::fs::remove_file(&path);
                }
            }
        }
        entries.sort();
        let mut total: u64 = entries.iter().map(|(_, size, _)| size).sum();
        for (_, size, path) in entries {
            if total <= cap {
                break;
            }
            let _ = std::fs::remove_file(path.with_extension("json"));
            let _ = std::fs::remove_file(&path);
            total -= size;
            removed += size;
        }
        removed
    }
}
