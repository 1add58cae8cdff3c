//! Turns a bundle back into images that can be pushed, with unchanged layers where possible.

mod archive;
mod packed;
mod payload;

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::Result;

use super::Outgoing;
use crate::archive::{Compression, unpack};
use crate::mender;

/// The images of a bundle. Files unpacked or packed for them are in the folder `scratch`, which must exist as long as they do.
///
/// # Errors
/// When the file is not a bundle, is damaged, or lacks layers.
pub fn outgoing(path: &Path, scratch: &Path) -> Result<Vec<Outgoing>> {
    fs_err::create_dir_all(scratch)?;
    let mut head = Vec::new();
    File::open(path)?.take(mender::HEAD).read_to_end(&mut head)?;
    if mender::is_artifact(&head) {
        return payload::read(path, scratch);
    }
    if Compression::of(&head) == Compression::None {
        return archive::read(path, scratch, "");
    }
    let unpacked = scratch.join("archive.tar");
    unpack(path, &mut File::create(&unpacked)?)?;
    archive::read(&unpacked, scratch, "")
}
