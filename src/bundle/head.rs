//! The first bytes of a file that may be a bundle.

use std::fs::File;
use std::io::{BufReader, Chain, Cursor, Read};
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use super::told::Told;
use crate::archive::{Compression, TarReader, decompressed};
use crate::diagnostic::Code;
use crate::mender;

/// A file from its first byte on.
pub type Whole<'a> = Chain<Cursor<Vec<u8>>, BufReader<Told<'a, File>>>;

/// A file that begins as a bundle.
pub enum Opened<'a> {
    /// An `.auterionos` file.
    Artifact(Whole<'a>),
    /// An archive of images, compressed or not.
    Archive(Whole<'a>),
}

/// Opens a bundle; `read` hears how many bytes were read, each time.
///
/// # Errors
/// When it cannot be read, or does not begin as a bundle.
pub fn open<'a>(path: &Path, read: &'a dyn Fn(u64)) -> Result<Opened<'a>> {
    let failed = || format!("failed to read `{}`", path.display());
    let file = File::open(path).with_context(failed)?;
    ensure!(
        !file.metadata()?.is_dir(),
        Code::NotABundle.error(format!("`{}` is a folder; a bundle is one file", path.display()))
    );
    let mut reader = BufReader::with_capacity(1 << 18, Told { reader: file, told: read });
    let mut head = Vec::new();
    reader.by_ref().take(mender::HEAD).read_to_end(&mut head).with_context(failed)?;
    if mender::is_artifact(&head) {
        return Ok(Opened::Artifact(Cursor::new(head).chain(reader)));
    }
    check(&head).with_context(failed)?;
    Ok(Opened::Archive(Cursor::new(head).chain(reader)))
}

/// Checks that a file other than an `.auterionos` file begins as an archive, compressed or not.
///
/// # Errors
/// When it does not.
pub fn check(head: &[u8]) -> Result<()> {
    ensure!(!head.is_empty(), Code::NotABundle.error("it is empty"));
    drop(decompressed(head)?);
    let begins_as_tar = TarReader::new(head).next_entry().is_ok_and(|entry| entry.is_some());
    ensure!(
        Compression::of(head) != Compression::None || begins_as_tar,
        Code::NotABundle
            .error("it is neither an `.auterionos` file nor an archive of images: it does not start with a tar header")
    );
    Ok(())
}
