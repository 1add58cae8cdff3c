//! One layer, walked as its bytes pass.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::io::{self, BufRead, Read};

use super::executables::FoundExecutables;
use super::limits::Limits;
use crate::archive::{Budget, Compression, TarReader, confined, decompressed};
use crate::debian::{OS_RELEASE, has_records};
use crate::digest::{Digest, Hasher, Summed};
use crate::mender::Faults;

/// Bytes of a path that is shown.
const LONGEST: usize = 1024;

/// Bytes of dpkg's records in one layer; those of two thousand packages have 2 MiB.
const MOST_RECORDS: u64 = 16 << 20;

/// What a layer's bytes are (image-spec, layer.md).
#[derive(Debug, Default)]
pub struct FoundLayer {
    /// As it stands in the archive.
    pub compression: Compression,
    /// Digest of the uncompressed bytes; `None` if a compressed layer was not unpacked.
    pub diff_id: Option<Digest>,
    /// Uncompressed bytes.
    pub size: u64,
    /// Files in it.
    pub files: u64,
    /// The largest files, largest first.
    pub largest: Vec<(u64, String)>,
    /// dpkg's records of packages, by path.
    pub records: BTreeMap<String, String>,
    /// Its executables, if they are looked into.
    pub executables: FoundExecutables,
    /// What is wrong.
    pub faults: Faults,
}

impl FoundLayer {
    /// Reads a tar, which may be compressed; without limits, does not look into what is compressed. A plain tar is not summed: whoever
    /// reads the stream does that already.
    pub fn read(reader: &mut dyn BufRead, budget: &Budget, limits: Option<Limits>) -> Self {
        let mut layer = Self::default();
        let result = match reader.fill_buf().map(Compression::of) {
            Ok(Compression::None) => layer.walk(reader, limits.unwrap_or(Limits { unpacked: 0, largest: 0, executables: false })),
            Ok(compression) => {
                layer.compression = compression;
                limits.map_or(Ok(()), |limits| layer.unpack(reader, budget, limits))
            }
            Err(error) => Err(error.into()),
        };
        if let Err(error) = result {
            layer.faults.add(format!("{error:#}"));
        }
        layer
    }

    fn unpack(&mut self, reader: &mut dyn BufRead, budget: &Budget, limits: Limits) -> anyhow::Result<()> {
        let mut hasher = Hasher::default();
        let mut unpacked = budget.reader(decompressed(reader)?);
        let walked = self.walk(Summed::new(&mut unpacked, &mut hasher), limits);
        let rest = io::copy(&mut Summed::new(unpacked, &mut hasher), &mut io::sink());
        self.size = hasher.size();
        self.diff_id = Some(hasher.finish());
        walked?;
        rest?;
        Ok(())
    }

    fn walk(&mut self, reader: impl Read, limits: Limits) -> anyhow::Result<()> {
        let keep = limits.largest;
        let mut tar = TarReader::new(io::BufReader::with_capacity(1 << 15, reader));
        let mut largest: BinaryHeap<Reverse<(u64, String)>> = BinaryHeap::new();
        let mut records_left = MOST_RECORDS;
        while let Some(mut entry) = tar.next_entry()? {
            let path = confined(&entry.path);
            if path.is_none() {
                self.faults.add(format!("`{}` is outside the image", shown(&mut entry.path).escape_debug()));
            }
            if let Some(link) = entry.link.as_mut().filter(|_| entry.kind.is_hard_link())
                && confined(link).is_none()
            {
                self.faults.add(format!("a hard link points outside the image, to `{}`", shown(link).escape_debug()));
            }
            if !entry.is_file() {
                continue;
            }
            self.files += 1;
            if let Some(path) = path.filter(|path| keep > 0 && entry.size <= records_left && is_told(path)) {
                let mut text = Vec::new();
                tar.read_to_end(&mut text)?;
                records_left -= text.len() as u64;
                self.records.insert(path, String::from_utf8_lossy(&text).into_owned());
            } else if limits.executables && self.executables.wants(entry.size, entry.mode) {
                self.executable(&entry.path, &mut tar)?;
            }
            if keep > 0 && (largest.len() < keep || largest.peek().is_some_and(|Reverse((size, _))| *size < entry.size)) {
                shown(&mut entry.path);
                largest.push(Reverse((entry.size, entry.path)));
                if largest.len() > keep {
                    largest.pop();
                }
            }
        }
        self.largest = largest.into_sorted_vec().into_iter().map(|Reverse(file)| file).collect();
        let tail = tar.tail()?;
        if tail.junk > 0 {
            self.faults.add(format!("{} extra bytes follow its end", tail.junk));
        }
        Ok(())
    }

    /// Reads the file, if its first bytes are those of ELF.
    fn executable(&mut self, path: &str, tar: &mut impl Read) -> io::Result<()> {
        let mut bytes = Vec::new();
        tar.by_ref().take(4).read_to_end(&mut bytes)?;
        if bytes == b"\x7fELF" {
            tar.read_to_end(&mut bytes)?;
            self.executables.add(&confined(path).unwrap_or_default(), &bytes);
        }
        Ok(())
    }
}

/// Whether a file tells which packages there are.
fn is_told(path: &str) -> bool {
    has_records(path) || OS_RELEASE.contains(&path)
}

fn shown(path: &mut String) -> &str {
    if path.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|at| path.is_char_boundary(*at)).unwrap_or(0);
        path.truncate(end);
    }
    path
}
