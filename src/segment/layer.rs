//! A layer as a list of members, before it is bytes.

use std::io::{Read as _, Write};
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};

use super::Key;
use crate::archive::gzip::Level;
use crate::archive::order::Rank;
use crate::archive::{self, END_OF_ARCHIVE, Entry, EntryKind};
use crate::digest::Digest;

/// Members in the order in which they stand in the tar.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Layer {
    /// As [`Layer::new`] orders them.
    members: Vec<LayerMember>,
}

/// One member with what it holds.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct LayerMember {
    /// Header.
    pub entry: Entry,
    /// Content; [`Content::None`] for all but files.
    pub content: Content,
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Content {
    /// Nothing: a folder or a link.
    None,
    /// A file on disk that had this sum when it was looked at.
    File(PathBuf, Digest),
    /// Bytes made by this tool.
    Bytes(#[serde(skip)] Vec<u8>, Digest),
}

impl LayerMember {
    /// A member that holds bytes made by this tool.
    pub fn bytes(path: &str, mode: u32, mtime: u64, bytes: Vec<u8>) -> Self {
        let kind = EntryKind::File(bytes.len() as u64);
        let digest = Digest::of(&bytes);
        Self { entry: Entry { path: path.into(), mode, uid: 0, gid: 0, mtime, kind }, content: Content::Bytes(bytes, digest) }
    }

    /// A folder.
    pub fn folder(path: &str, mode: u32, mtime: u64) -> Self {
        Self { entry: Entry { path: path.into(), mode, uid: 0, gid: 0, mtime, kind: EntryKind::Folder }, content: Content::None }
    }

    fn order(&self) -> archive::order::Key<'_> {
        let (rank, size) = match self.entry.kind {
            EntryKind::Folder => (Rank::Folder, 0),
            EntryKind::Symlink(_) => (Rank::Special, 0),
            EntryKind::HardLink(_) => (Rank::HardLink, 0),
            EntryKind::File(size) => (Rank::File, size),
        };
        archive::order::key(rank, &self.entry.path, size)
    }

    /// A symbolic link.
    pub fn symlink(path: &str, target: &str, mtime: u64) -> Self {
        let kind = EntryKind::Symlink(target.into());
        Self { entry: Entry { path: path.into(), mode: 0o777, uid: 0, gid: 0, mtime, kind }, content: Content::None }
    }
}

impl Layer {
    /// A layer of these members, put into the order of [`archive::order`]. Folders stand before what is in them.
    pub fn new(mut members: Vec<LayerMember>) -> Self {
        members.sort_by(|one, other| one.order().cmp(&other.order()));
        Self { members }
    }

    /// The cache key at this compression level.
    pub fn key(&self, level: Level) -> Result<Key> {
        let mut parts = vec![b"layer".to_vec(), level.name().into()];
        for member in &self.members {
            parts.push(archive::encode(&member.entry)?);
            if let Content::File(_, digest) | Content::Bytes(_, digest) = &member.content {
                parts.push(digest.hex().into_bytes());
            }
        }
        Ok(Key::of(parts.iter().map(Vec::as_slice)))
    }

    /// Writes the tar.
    ///
    /// # Errors
    /// When a file cannot be read, or is no longer what it was when it was looked at.
    pub fn write(&self, to: &mut dyn Write, told: &dyn Fn(u64)) -> Result<()> {
        for member in &self.members {
            to.write_all(&archive::encode(&member.entry)?)?;
            let EntryKind::File(size) = member.entry.kind else { continue };
            match &member.content {
                Content::None => ensure!(size == 0, "`{}` has no content", member.entry.path),
                Content::Bytes(bytes, _) => {
                    to.write_all(bytes)?;
                    told(size);
                }
                Content::File(path, digest) => copy(path, *digest, size, to, told)?,
            }
            to.write_all(archive::padding(size))?;
        }
        to.write_all(&END_OF_ARCHIVE)?;
        Ok(())
    }

    /// Uncompressed bytes of the files in it.
    pub fn content_size(&self) -> u64 {
        self.members.iter().map(|m| if let EntryKind::File(size) = m.entry.kind { size } else { 0 }).sum()
    }
}

fn copy(path: &std::path::Path, digest: Digest, size: u64, to: &mut dyn Write, told: &dyn Fn(u64)) -> Result<()> {
    let failed = || format!("failed to read `{}`", path.display());
    let mut file = fs_err::File::open(path)?.take(size + 1);
    let mut hasher = crate::digest::Hasher::default();
    let mut buffer = vec![0; 128 * 1024];
    loop {
        let count = file.read(&mut buffer).with_context(failed)?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
        ensure!(hasher.size() <= size, "`{}` grew while it was being packed", path.display());
        to.write_all(&buffer[..count])?;
        told(count as u64);
    }
    ensure!(hasher.size() == size && hasher.finish() == digest, "`{}` changed while it was being packed", path.display());
    Ok(())
}
