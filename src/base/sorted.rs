//! Reorders the members of a root file system's tar for better compression ([`crate::archive::order`]).

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt as _;

use anyhow::Result;

use crate::archive::order::{Key, Rank, key};
use crate::archive::{END_OF_ARCHIVE, TarReader, confined, padding};

/// Reads the members of an uncompressed tar in another order; headers and contents stay the same. The order only changes if the
/// resulting file system is certainly the same.
pub struct Sorted {
    file: File,
    /// The file's size. The padding of its last member may be missing, and must be added once other members follow it.
    length: u64,
    /// The byte range of each member, last first.
    stretches: Vec<(u64, u64)>,
    end: &'static [u8],
}

struct Found {
    path: String,
    rank: Option<Rank>,
    size: u64,
    stretch: (u64, u64),
}

impl Found {
    fn key(&self) -> Option<Key<'_>> {
        Some(key(self.rank?, &self.path, self.size))
    }
}

impl Sorted {
    /// Reads the headers of all members.
    ///
    /// # Errors
    /// When it cannot be read, or is not a tar.
    pub fn new(file: File) -> Result<Self> {
        let length = file.metadata()?.len();
        // Enough for a header or two and the beginning of a small file; a larger buffer would be wasted.
        let mut reader = TarReader::new(BufReader::with_capacity(4096, &file));
        let mut found: Vec<Found> = Vec::new();
        let mut from = 0;
        while let Some(entry) = reader.next_entry()? {
            let rank = match entry.kind {
                kind if kind.is_dir() => Some(Rank::Folder),
                kind if kind.is_hard_link() => Some(Rank::HardLink),
                kind if kind.is_file() || kind.is_contiguous() => Some(Rank::File),
                kind if kind.is_symlink() || kind.is_fifo() => Some(Rank::Special),
                kind if kind.is_character_special() || kind.is_block_special() => Some(Rank::Special),
                _ => None,
            };
            let to = entry.offset + entry.size + padding(entry.size).len() as u64;
            let path = confined(&entry.path).unwrap_or(entry.path);
            found.push(Found { path, rank, size: entry.size, stretch: (from, to) });
            from = to;
            reader.seek_past(length)?;
        }
        let stretches = if !reader.has_global_header() && is_free(&found) {
            let mut keyed: Vec<_> = found.iter().map(|member| (member.key(), member)).collect();
            keyed.sort_by_key(|(key, _)| *key);
            keyed.iter().rev().map(|(_, member)| member.stretch).collect()
        } else {
            found.iter().rev().map(|member| member.stretch).collect()
        };
        Ok(Self { file, length, stretches, end: &END_OF_ARCHIVE })
    }
}

/// Whether the order does not matter: each path occurs once, only folders have members below them, and all types are known.
fn is_free(found: &[Found]) -> bool {
    let mut ranks = HashMap::with_capacity(found.len());
    found.iter().all(|member| member.rank.is_some() && ranks.insert(member.path.as_str(), member.rank).is_none())
        && found.iter().all(|member| {
            // Checking the parent is enough, because the parent itself is checked too.
            let mut folders = member.path.rmatch_indices('/').map(|(at, _)| &member.path[..at]);
            folders.find_map(|folder| ranks.get(folder)).is_none_or(|rank| *rank == Some(Rank::Folder))
        })
}

impl Read for Sorted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some((from, to)) = self.stretches.last_mut() else { return self.end.read(buffer) };
        let wanted = buffer.len().min((*to - *from) as usize);
        let count = if *from >= self.length {
            buffer[..wanted].fill(0);
            wanted
        } else {
            self.file.read_at(&mut buffer[..wanted], *from)?
        };
        if count == 0 && wanted > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file was truncated while it was being read"));
        }
        *from += count as u64;
        if from == to {
            self.stretches.pop();
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn tar(members: &[(&str, tar::EntryType, &str)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, kind, content) in members {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_mode(0o644);
            header.set_uid(0);
            header.set_gid(0);
            header.set_mtime(0);
            let link = kind.is_symlink() || kind.is_hard_link();
            header.set_size(if link { 0 } else { content.len() as u64 });
            if link {
                builder.append_link(&mut header, path, content).expect("link");
            } else {
                builder.append_data(&mut header, path, content.as_bytes()).expect("file");
            }
        }
        builder.into_inner().expect("tar")
    }

    fn sorted(bytes: &[u8]) -> (Vec<String>, Vec<u8>) {
        let mut file = tempfile::tempfile().expect("file");
        file.write_all(bytes).expect("written");
        std::io::Seek::rewind(&mut file).expect("start");
        let mut out = Vec::new();
        Sorted::new(file).expect("tar").read_to_end(&mut out).expect("read");
        let mut reader = TarReader::new(&out[..]);
        let mut names = Vec::new();
        while let Some(entry) = reader.next_entry().expect("a tar") {
            let mut content = String::new();
            reader.read_to_string(&mut content).expect("text");
            names.push(format!("{} {}{content}", entry.path, entry.link.unwrap_or_default()));
        }
        (names, out)
    }

    #[test]
    fn files_of_a_kind_come_together() {
        use tar::EntryType as Kind;
        let long = "long/".repeat(40);
        let bytes = tar(&[
            ("a", Kind::Directory, ""),
            ("a/hard", Kind::Link, "a/one.b"),
            (&format!("{long}x.c"), Kind::Regular, "long"),
            ("a/one.b", Kind::Regular, "1"),
            ("a/soft", Kind::Symlink, "one.b"),
            ("a/two.a", Kind::Regular, "2"),
        ]);
        let (names, out) = sorted(&bytes);
        assert_eq!(names, ["a ", "a/soft one.b", "a/two.a 2", "a/one.b 1", &format!("{long}x.c long"), "a/hard a/one.b"]);
        assert_eq!(out.len(), bytes.len());
    }

    #[test]
    fn padding_that_is_left_out_at_the_end_is_there_in_the_middle() {
        use tar::EntryType as Kind;
        let mut bytes = tar(&[("b.b", Kind::Regular, "1"), ("a.a", Kind::Regular, "2")]);
        bytes.truncate(3 * 512 + 1);
        assert_eq!(sorted(&bytes).0, ["a.a 2", "b.b 1"]);
    }

    #[test]
    fn an_order_that_may_mean_something_is_kept() {
        use tar::EntryType as Kind;
        let through_a_link = [("lib", Kind::Symlink, "usr/lib"), ("usr/lib", Kind::Directory, ""), ("lib/x", Kind::Regular, "1")];
        let twice = [("b", Kind::Regular, "1"), ("a", Kind::Regular, "2"), ("./b", Kind::Regular, "3")];
        for members in [&through_a_link[..], &twice] {
            let bytes = tar(members);
            assert!(bytes.starts_with(&sorted(&bytes).1));
        }
    }
}
