//! Images whose layers were packed here.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use crate::app::ImageRef;
use crate::archive::gzip::Level;
use crate::bundle::layout::manifest_of;
use crate::bundle::outgoing::Outgoing;
use crate::digest::Digest;
use crate::segment::{Cache, Key, Packer};
use crate::store::StoredImage;

/// A layer as a gzip file.
#[derive(Clone, Debug)]
pub struct Packed {
    pub diff_id: Digest,
    pub digest: Digest,
    pub size: u64,
    pub path: PathBuf,
}

/// A packer into a folder that goes away.
pub fn packer(scratch: &Path) -> Packer {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Packer::new(Cache::new(&scratch.join("layers")), Level::Default, threads)
}

/// Packs a layer that stands there uncompressed.
pub fn pack(packer: &Packer, mut tar: impl std::io::Read) -> Result<Packed> {
    let key = |diff_id: &Digest| Key::of([&b"push"[..], diff_id.hex().as_bytes()]);
    let (segment, _) = packer.pack(key, |sink| Ok(std::io::copy(&mut tar, sink)?))?;
    let path = packer.cache().path(&segment);
    Ok(Packed { diff_id: segment.diff_id, digest: packer.cache().digest(&segment)?, size: segment.compressed, path })
}

/// An image whose layers were packed here, under the name that its bundle gives it.
pub fn image(reference: &str, slug: &str, stored: &StoredImage, layers: &[Packed]) -> Result<Outgoing> {
    ensure!(
        stored.config.rootfs.diff_ids.iter().eq(layers.iter().map(|layer| &layer.diff_id)),
        "the layers of `{reference}` do not match its config"
    );
    let config = stored.config_bytes.clone();
    let manifest = manifest_of(&config, layers.iter().map(|layer| (layer.digest, layer.size)));
    let (name, tag) = name(reference, slug)?;
    let files: Vec<PathBuf> = layers.iter().map(|layer| layer.path.clone()).collect();
    let config = String::from_utf8(config).with_context(|| format!("the config of `{reference}` is not UTF-8"))?;
    Outgoing::new(name, tag, stored.platform().to_string(), manifest, config, &files)
}

/// The service and version that an image's name is made of: its last part, without the app's name before it.
pub fn name(reference: &str, slug: &str) -> Result<(String, String)> {
    let parsed = ImageRef::parse(reference).map_err(anyhow::Error::msg)?;
    let last = parsed.name().rsplit('/').next().unwrap_or(parsed.name());
    let service = last.strip_prefix(slug).and_then(|rest| rest.strip_prefix('.')).unwrap_or(last);
    Ok((service.to_owned(), parsed.tag().to_owned()))
}

pub fn no_images<T>() -> Result<T> {
    bail!("it contains no image")
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
