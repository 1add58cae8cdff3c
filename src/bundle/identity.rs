//! What an archive of images is called, and its images by their digests.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::archive::{Compression, unpack};
use crate::digest::Digest;
use crate::store::{Archive, Walk, strictly};

/// The name of a bundle, and its images.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The app's name, if the archive has it.
    pub name: Option<String>,
    /// The app's version.
    pub version: Option<String>,
    /// Each image by its name, without what Docker adds to short ones, with the digest of its manifest; in an archive without manifests, that of its config, which Docker
    /// calls the image's ID.
    pub images: Vec<(String, Digest)>,
}

/// Reads the documents of an archive of images, and none of its layers.
///
/// # Errors
/// When the file is no such archive, or is damaged.
pub fn identity(path: &Path) -> Result<Identity> {
    let failed = || format!("failed to read `{}`", path.display());
    let mut head = Vec::new();
    fs_err::File::open(path)?.take(crate::mender::HEAD).read_to_end(&mut head)?;
    super::head::check(&head).with_context(failed)?;
    if Compression::of(&head) == Compression::None {
        return of_archive(path).with_context(failed);
    }
    let scratch = crate::fs::scratch()?;
    let unpacked = scratch.path().join("archive.tar");
    unpack(path, &mut File::create(&unpacked)?).with_context(failed)?;
    of_archive(&unpacked).with_context(failed)
}

fn of_archive(path: &Path) -> Result<Identity> {
    let archive = Archive::open(path)?;
    let mut report = strictly;
    let mut walk = Walk::new(&archive, &mut report);
    let listing = walk.list()?;
    let mut images = Vec::new();
    for stored in walk.images(&listing)? {
        let digest = stored.manifest.as_ref().map_or(stored.id, |manifest| Digest::of(&manifest.bytes));
        let name = stored.names.first().map(|name| name.strip_prefix("docker.io/library/").unwrap_or(name).to_owned());
        images.push((name.unwrap_or_else(|| stored.id.to_string()), digest));
    }
    let annotation = |key: &str| listing.annotations.get(key).cloned();
    let (name, version) = (annotation("org.opencontainers.image.title"), annotation("org.opencontainers.image.version"));
    Ok(Identity { name, version, images })
}
