//! A document about a bundle's contents, which stands last in it.

use std::io::{BufReader, Read};
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

use super::head::{self, Opened};
use crate::archive::gzip::{self, Compressor, Level};
use crate::archive::{Budget, TarReader, decompressed};
use crate::diagnostic::Code;
use crate::mender;

/// A document in a bundle. Readers of images do not know it, and pass it over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The name of the member.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Document {
    /// The bill of materials, as gzip: it is text, and bundles are compressed piece by piece.
    ///
    /// # Errors
    /// When it cannot be compressed.
    pub fn sbom(text: &str) -> Result<Self> {
        let mut space = Vec::new();
        let bytes =
            Compressor::new(Level::Default).member(text.as_bytes(), &mut space).context("failed to compress the SBOM")?.to_vec();
        Ok(Self { name: SBOM.to_owned(), bytes })
    }
}

/// The name of the bill of materials in a bundle.
pub const SBOM: &str = "sbom.cdx.json.gz";

/// Larger ones are not read. A hundred services of a thousand crates each have less.
const LARGEST: u64 = 64 << 20;

/// Reads a bundle's own bill of materials; `None` if it has none.
///
/// # Errors
/// When it is not a bundle, or it or the document is damaged.
pub fn sbom_of(path: &Path, read: &dyn Fn(u64)) -> Result<Option<Vec<u8>>> {
    let failed = || format!("failed to read `{}`", path.display());
    let packed = match head::open(path, read)? {
        Opened::Artifact(reader) => in_artifact(reader, path),
        Opened::Archive(reader) => in_archive(reader),
    };
    let packed = packed.with_context(failed)?;
    let Some(packed) = packed else { return Ok(None) };
    let mut text = Vec::new();
    let unpacked = gzip::decoder(&packed[..]).take(LARGEST + 1).read_to_end(&mut text);
    unpacked.with_context(|| format!("failed to unpack `{SBOM}` in `{}`", path.display()))?;
    ensure!(text.len() as u64 <= LARGEST, "`{SBOM}` in `{}` has more than {} MiB", path.display(), LARGEST >> 20);
    Ok(Some(text))
}

fn in_artifact(reader: impl Read, path: &Path) -> Result<Option<Vec<u8>>> {
    let mut found = None;
    let reading = mender::read(reader, &Budget::new(u64::MAX), &mut |entry, stream| {
        if entry.path == SBOM {
            let mut bytes = Vec::new();
            found = Some(stream.take(LARGEST).read_to_end(&mut bytes).map(|_| bytes));
        }
    });
    if let Some(fault) = reading.faults.into_vec().first() {
        bail!(
            Code::BundleDamaged
                .error(format!("it is damaged: {fault}\nhelp: list all faults with `cargo appbundle verify {}`", path.display()))
        );
    }
    Ok(found.transpose()?)
}

fn in_archive(reader: impl Read) -> Result<Option<Vec<u8>>> {
    let mut tar = TarReader::new(decompressed(BufReader::with_capacity(1 << 18, reader))?);
    while let Some(entry) = tar.next_entry()? {
        if entry.path == SBOM && entry.is_file() {
            let mut bytes = Vec::new();
            tar.take(LARGEST).read_to_end(&mut bytes)?;
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}
