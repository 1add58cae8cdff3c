//! Packed layers of bases, and facts about their files.

use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::app::Facts;
use crate::archive::{Compression, gzip, unpack};
use crate::digest::Digest;
use crate::fs::Pending;
use crate::segment::{Key, Packer, Segment};

/// The suffix of fact files; changes whenever the same layer would give other facts.
const FACTS: &str = "facts-4";

/// The path of the facts about a segment, next to it.
fn facts_path(packer: &Packer, segment: &Segment) -> PathBuf {
    packer.cache().folder().join(format!("{}.{FACTS}", segment.diff_id.hex()))
}

/// The facts of a cached layer; `None` if they are missing or damaged.
pub fn cached_facts(packer: &Packer, segment: &Segment) -> Option<Facts> {
    serde_json::from_slice(&std::fs::read(facts_path(packer, segment)).ok()?).ok()
}

/// Saves the facts of a layer for [`cached_facts`].
pub fn keep_facts(packer: &Packer, segment: &Segment, facts: &Facts) -> Result<()> {
    crate::fs::write(&facts_path(packer, segment), &serde_json::to_vec(facts)?)
}

/// The facts of a packed layer: cached, or read from the layer.
pub fn facts(packer: &Packer, segment: &Segment) -> Result<Facts> {
    if let Some(facts) = cached_facts(packer, segment) {
        return Ok(facts);
    }
    let facts = Facts::read(gzip::decoder(packer.cache().open(segment)?))?;
    keep_facts(packer, segment, &facts)?;
    Ok(facts)
}

/// Packs a tar, and collects facts from it at the same time.
pub fn pack(tar: impl Read, key: impl FnOnce(&Digest) -> Key, packer: &Packer) -> Result<(Segment, Facts)> {
    // Buffered, so that the packer gets large chunks.
    packer.pack(key, |sink| Facts::read(BufReader::with_capacity(256 * 1024, Through { from: tar, to: sink })))
}

/// Copies everything that is read to a writer.
struct Through<'a, R, W: Write> {
    from: R,
    to: &'a mut W,
}

impl<R: Read, W: Write> Read for Through<'_, R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.to.write_all(&buffer[..count])?;
        Ok(count)
    }
}

/// Unpacks a compressed archive to a temporary file.
pub fn unpacked(path: &Path, packer: &Packer) -> Result<Option<Pending>> {
    if !path.is_file() || Compression::of_file(path)? == Compression::None {
        return Ok(None);
    }
    let mut pending = Pending::new(&packer.cache().folder().join("archive"))?;
    unpack(path, pending.file())?;
    Ok(Some(pending))
}
