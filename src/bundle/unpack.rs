//! From a bundle back to images that can be pushed, with the layers as they are where that is possible.

mod archive;
mod payload;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use super::Outgoing;
use super::layout::manifest_of;
use crate::app::ImageRef;
use crate::archive::gzip::Level;
use crate::archive::{Compression, unpack};
use crate::digest::Digest;
use crate::mender;
use crate::segment::{Cache, Key, Packer};
use crate::store::StoredImage;

/// The images of a bundle. What has to be unpacked or packed for them lies in the folder `scratch`, as long as they do.
///
/// # Errors
/// When the file is no bundle, is damaged, or lacks layers.
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

/// A layer as a gzip file.
#[derive(Clone, Debug)]
struct Packed {
    diff_id: Digest,
    digest: Digest,
    size: u64,
    path: PathBuf,
}

/// A packer into a folder that goes away.
fn packer(scratch: &Path) -> Packer {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Packer::new(Cache::new(&scratch.join("layers")), Level::Default, threads)
}

/// Packs a layer that stands there uncompressed.
fn pack(packer: &Packer, mut tar: impl std::io::Read) -> Result<Packed> {
    let key = |diff_id: &Digest| Key::of([&b"push"[..], diff_id.hex().as_bytes()]);
    let (segment, _) = packer.pack(key, |sink| Ok(std::io::copy(&mut tar, sink)?))?;
    let path = packer.cache().path(&segment);
    Ok(Packed { diff_id: segment.diff_id, digest: packer.cache().digest(&segment)?, size: segment.compressed, path })
}

/// An image whose layers were packed here, under the name that its bundle gives it.
fn image(reference: &str, slug: &str, stored: &StoredImage, layers: &[Packed]) -> Result<Outgoing> {
    ensure!(
        stored.config.rootfs.diff_ids.iter().eq(layers.iter().map(|layer| &layer.diff_id)),
        "the layers of `{reference}` are not those that its config names"
    );
    let config = stored.config_bytes.clone();
    let manifest = manifest_of(&config, layers.iter().map(|layer| (layer.digest, layer.size)));
    let (name, tag) = name(reference, slug)?;
    let files: Vec<PathBuf> = layers.iter().map(|layer| layer.path.clone()).collect();
    let config = String::from_utf8(config).with_context(|| format!("the config of `{reference}` is not text"))?;
    Outgoing::new(name, tag, stored.platform().to_string(), manifest, config, &files)
}

/// The service and version that an image's name is made of: its last part, without the app's name before it.
fn name(reference: &str, slug: &str) -> Result<(String, String)> {
    let parsed = ImageRef::parse(reference).map_err(anyhow::Error::msg)?;
    let last = parsed.name().rsplit('/').next().unwrap_or(parsed.name());
    let service = last.strip_prefix(slug).and_then(|rest| rest.strip_prefix('.')).unwrap_or(last);
    Ok((service.to_owned(), parsed.tag().to_owned()))
}

fn no_images<T>() -> Result<T> {
    bail!("it holds no image")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_services_name_is_the_last_part() {
        let name = |reference: &str| name(reference, "com.example.demo").expect("name");
        assert_eq!(name("com.example.demo.alpha:1.2.3"), ("alpha".into(), "1.2.3".into()));
        assert_eq!(name("ghcr.io/team/beta:2"), ("beta".into(), "2".into()));
        assert_eq!(name("com.example.demolition:2"), ("com.example.demolition".into(), "2".into()));
    }
}
