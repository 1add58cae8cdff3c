//! The first bytes of a file that may be a bundle.

use anyhow::{Result, ensure};

use crate::archive::{Compression, TarReader, decompressed};
use crate::diagnostic::Code;

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
