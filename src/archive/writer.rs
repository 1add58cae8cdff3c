//! Tar headers that depend on nothing but what is asked for: ustar, with a pax header only where a name does not fit.

use std::io::Write as _;

use anyhow::{Result, ensure};

/// Tar's unit, in bytes.
pub const BLOCK: u64 = 512;

/// The two zero blocks that end an archive.
pub const END_OF_ARCHIVE: [u8; 1024] = [0; 1024];

/// One member, without the content of a file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Entry {
    /// Relative path with `/`; a folder's without one at the end.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u64,
    /// Group.
    pub gid: u64,
    /// Seconds since the epoch.
    pub mtime: u64,
    /// What stands there.
    pub kind: EntryKind,
}

/// What a member is.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub enum EntryKind {
    /// A folder.
    Folder,
    /// A file of so many bytes.
    File(u64),
    /// A symbolic link to this target.
    Symlink(String),
    /// Another name of the file at this path of the archive.
    HardLink(String),
}

/// Zero bytes that fill up to the next block.
pub fn padding(size: u64) -> &'static [u8] {
    static ZEROS: [u8; BLOCK as usize] = [0; BLOCK as usize];
    &ZEROS[..((BLOCK - size % BLOCK) % BLOCK) as usize]
}

/// The header blocks of a plain file with the given mode, owned by root.
pub fn encode_file(path: &str, mode: u32, size: u64, mtime: u64) -> Result<Vec<u8>> {
    encode(&Entry { path: path.to_owned(), mode, uid: 0, gid: 0, mtime, kind: EntryKind::File(size) })
}

/// The header blocks of a member; its content and [`padding`] follow them.
///
/// # Errors
/// When the path or a link's target is empty or holds a zero byte.
pub fn encode(entry: &Entry) -> Result<Vec<u8>> {
    let path = if entry.kind == EntryKind::Folder { format!("{}/", entry.path) } else { entry.path.clone() };
    ensure!(!entry.path.is_empty() && !path.contains('\0'), "`{path}` is not a valid member name");
    let mut header = tar::Header::new_ustar();
    header.set_mode(entry.mode);
    header.set_mtime(entry.mtime);
    let mut extra = Vec::new();
    set_id(&mut header, "uid", entry.uid, &mut extra);
    set_id(&mut header, "gid", entry.gid, &mut extra);
    let size = match &entry.kind {
        EntryKind::Folder => {
            header.set_entry_type(tar::EntryType::Directory);
            0
        }
        EntryKind::File(size) => {
            header.set_entry_type(tar::EntryType::Regular);
            *size
        }
        EntryKind::Symlink(target) | EntryKind::HardLink(target) => {
            ensure!(!target.is_empty() && !target.contains('\0'), "`{target}` is not a valid link target");
            let is_hard = matches!(entry.kind, EntryKind::HardLink(_));
            header.set_entry_type(if is_hard { tar::EntryType::Link } else { tar::EntryType::Symlink });
            if target.len() > 100 || header.set_link_name_literal(target).is_err() {
                extra.extend(record("linkpath", target));
            }
            0
        }
    };
    if size < 1 << 33 {
        header.set_size(size);
    } else {
        header.set_size(0);
        extra.extend(record("size", &size.to_string()));
    }
    if header.set_path(&path).is_err() {
        extra.extend(record("path", &path));
        let short: String = path.chars().filter(char::is_ascii).take(99).collect();
        header.as_mut_bytes()[..short.len()].copy_from_slice(short.as_bytes());
    }
    header.set_cksum();
    let mut blocks = Vec::with_capacity(512);
    if !extra.is_empty() {
        let mut pax = tar::Header::new_ustar();
        pax.set_entry_type(tar::EntryType::XHeader);
        pax.set_path("pax")?;
        pax.set_mode(0o644);
        pax.set_mtime(entry.mtime);
        pax.set_uid(0);
        pax.set_gid(0);
        pax.set_size(extra.len() as u64);
        pax.set_cksum();
        blocks.extend_from_slice(pax.as_bytes());
        blocks.extend_from_slice(&extra);
        blocks.extend_from_slice(padding(extra.len() as u64));
    }
    blocks.extend_from_slice(header.as_bytes());
    Ok(blocks)
}

/// Seven octal digits are what a ustar header has for an owner; a larger number goes into the pax header.
fn set_id(header: &mut tar::Header, name: &str, id: u64, extra: &mut Vec<u8>) {
    let fits = id < 1 << 21;
    let shown = if fits { id } else { 0 };
    match name {
        "uid" => header.set_uid(shown),
        _ => header.set_gid(shown),
    }
    if !fits {
        extra.extend(record(name, &id.to_string()));
    }
}

/// A pax record, which begins with its own length (POSIX pax, "Extended Header").
fn record(key: &str, value: &str) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    let mut bytes = Vec::with_capacity(length);
    let _ = writeln!(bytes, "{length} {key}={value}");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::TarReader;

    fn back(entry: &Entry) -> crate::archive::TarEntry {
        let mut bytes = encode(entry).expect("header");
        bytes.extend_from_slice(&END_OF_ARCHIVE);
        TarReader::new(&bytes[..]).next_entry().expect("tar").expect("entry")
    }

    #[test]
    fn long_names_come_back() {
        for length in [1, 99, 100, 101, 155, 200, 255, 256, 1000] {
            for part in ["a", "ä", "d/"] {
                let path: String = part.repeat(length).trim_end_matches('/').to_owned();
                let kind = EntryKind::Symlink(path.clone());
                let entry = Entry { path: path.clone(), mode: 0o755, uid: 65532, gid: 1 << 30, mtime: 7, kind };
                let read = back(&entry);
                assert_eq!((read.path.as_str(), read.link.as_deref(), read.mtime), (path.as_str(), Some(path.as_str()), 7));
            }
        }
    }

    #[test]
    fn a_name_that_no_system_takes_is_refused() {
        let named = |length: usize| encode_file(&"x".repeat(length), 0o644, 0, 0).expect("header");
        assert!(TarReader::new(&named(4096)[..]).next_entry().is_ok());
        let error = TarReader::new(&named(4097)[..]).next_entry().expect_err("too long");
        assert!(error.to_string().contains("a name of 4097 bytes"), "{error}");
    }

    #[test]
    fn the_foreign_reader_agrees() {
        let path = "x/".repeat(150) + "y";
        let mut bytes = encode_file(&path, 0o644, 3, 0).expect("header");
        bytes.extend_from_slice(b"abc");
        bytes.extend_from_slice(padding(3));
        bytes.extend_from_slice(&END_OF_ARCHIVE);
        let mut archive = tar::Archive::new(&bytes[..]);
        let entry = archive.entries().expect("tar").next().expect("one").expect("entry");
        assert_eq!(entry.path().expect("path").to_str(), Some(path.as_str()));
        assert_eq!(entry.size(), 3);
    }
}
