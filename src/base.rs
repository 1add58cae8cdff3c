//! What images stand on: layers that every service shares, and what is known of the file system they make.

mod archive;
mod auto;
mod check;
mod context;
#[cfg(feature = "engine")]
mod daemon;
#[cfg(feature = "engine")]
mod dockerfile;
mod remembered;
mod rootfs;
mod sorted;

use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::app::{Base, BaseChoice, Binary, Facts, Target};
use crate::archive::{Compression, gzip, unpack};
use crate::digest::Digest;
use crate::fs::Pending;
use crate::oci::RunConfig;
use crate::segment::{Key, KnownDigests, Packer, Segment};

#[cfg(feature = "engine")]
pub use archive::read_saved;
pub use archive::{Pulled, has_layer, read_pulled};
pub use auto::Sysroot;
pub use check::check;
pub use context::BuildContext;
#[cfg(feature = "engine")]
pub use daemon::{image_id, read as read_daemon};
#[cfg(feature = "engine")]
pub use dockerfile::read as read_dockerfile;

/// Reads or makes a base; an image of a registry is read by [`read_pulled`]. `binaries` are those that will stand on it,
/// `linker` is who linked them.
///
/// # Errors
/// When it cannot be read, is not what it claims, or is for another platform.
pub fn read(
    choice: &BaseChoice,
    target: &Target,
    binaries: &[&Binary],
    linker: &str,
    epoch: u64,
    packer: &Packer,
    known: &KnownDigests,
) -> Result<Base> {
    match choice {
        BaseChoice::Auto => auto::read(binaries, &Sysroot::new(linker), epoch, packer, known),
        BaseChoice::Scratch => Ok(Base {
            choice: BaseChoice::Scratch,
            layers: Vec::new(),
            config: RunConfig::default(),
            history: Vec::new(),
            facts: Facts::default(),
            reference: None,
        }),
        BaseChoice::Rootfs(path) => rootfs::read(path, epoch, packer, known),
        BaseChoice::Dockerfile(_) | BaseChoice::Daemon(_) => {
            bail!("it needs an engine, and this program was built without its feature `engine`")
        }
        BaseChoice::Archive(path) => remembered::read_once(path, target, packer, known),
        BaseChoice::Image(_) => bail!("it was not pulled"),
    }
    .with_context(|| format!("failed to prepare the base `{choice}`"))
}

/// The highest version that the base's C library defines, as `2.36`; none if it has no glibc.
pub fn glibc(base: &Base) -> Option<String> {
    let libraries = base.facts.libraries.iter().filter(|(path, _)| path.ends_with("/libc.so.6"));
    let versions = libraries.flat_map(|(_, elf)| &elf.defines).filter_map(|version| crate::elf::glibc(version));
    versions.max().map(|(major, minor)| format!("{major}.{minor}"))
}

/// Ends the names of files of facts; changes whenever the same layer would give other facts than before.
const FACTS: &str = "facts-2";

/// Where facts about a segment are kept beside it.
fn facts_path(packer: &Packer, segment: &Segment) -> PathBuf {
    packer.cache().folder().join(format!("{}.{FACTS}", segment.diff_id.hex()))
}

/// The facts of a cached layer; `None` if they were never written, or are damaged.
fn cached_facts(packer: &Packer, segment: &Segment) -> Option<Facts> {
    serde_json::from_slice(&std::fs::read(facts_path(packer, segment)).ok()?).ok()
}

fn keep_facts(packer: &Packer, segment: &Segment, facts: &Facts) -> Result<()> {
    crate::fs::write(&facts_path(packer, segment), &serde_json::to_vec(facts)?)
}

/// The facts of a layer that was packed, read from it unless they are known.
fn facts(packer: &Packer, segment: &Segment) -> Result<Facts> {
    if let Some(facts) = cached_facts(packer, segment) {
        return Ok(facts);
    }
    let facts = Facts::read(gzip::decoder(packer.cache().open(segment)?))?;
    keep_facts(packer, segment, &facts)?;
    Ok(facts)
}

/// Packs a tar, and reads its facts as it goes by.
fn pack(tar: impl Read, key: impl FnOnce(&Digest) -> Key, packer: &Packer) -> Result<(Segment, Facts)> {
    // Behind the buffer, the packer gets large pieces.
    packer.pack(key, |sink| Facts::read(BufReader::with_capacity(256 * 1024, Through { from: tar, to: sink })))
}

/// Passes what is read on to a writer.
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

/// A compressed archive, unpacked to a file that goes away.
fn unpacked(path: &Path, packer: &Packer) -> Result<Option<Pending>> {
    if !path.is_file() || Compression::of_file(path)? == Compression::None {
        return Ok(None);
    }
    let mut pending = Pending::new(&packer.cache().folder().join("archive"))?;
    unpack(path, pending.file())?;
    Ok(Some(pending))
}
