//! Resolves an image reference to the layers for one platform (image-spec, image-index.md and manifest.md).

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::{Blobs, Client, Reference};
use crate::diagnostic::Code;
use crate::digest::Digest;
use crate::oci::{Descriptor, ImageConfig, ImageManifest, Index, LARGEST_DOCUMENT, Platform};

/// How many blobs are downloaded at a time.
const PARALLEL: usize = 6;

/// A resolved reference; its manifest and config are in the cache.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The digest that the reference names: of an index, or of a single manifest.
    pub digest: Digest,
    /// The digest of the manifest for the platform.
    pub manifest: Digest,
    /// The layers, lowest first.
    pub layers: Vec<Descriptor>,
    /// The digests of the unpacked layers, lowest first.
    pub diff_ids: Vec<Digest>,
}

/// Resolves the image for a platform; downloads only what is not in the cache. A reference with a digest needs no request once
/// its documents are cached.
///
/// # Errors
/// When it does not exist, is not an image, or is for another platform.
pub fn resolve(client: &Client<'_>, blobs: &Blobs, reference: &Reference, platform: &Platform) -> Result<Resolved> {
    let (digest, bytes) = document(client, blobs, reference)?;
    let (manifest_digest, bytes) = match parse(&bytes)? {
        Document::ImageManifest(_) => (digest, bytes),
        Document::Index(index) => {
            let chosen = choose(&index, platform)?;
            let (found, bytes) = document(client, blobs, &reference.at(chosen.digest))?;
            ensure!(
                bytes.len() as u64 == chosen.size,
                "its manifest has {} bytes, but its index says {}",
                bytes.len(),
                chosen.size
            );
            (found, bytes)
        }
    };
    let Document::ImageManifest(manifest) = parse(&bytes)? else { bail!("its index points to another index") };
    ensure!(manifest.config.size <= LARGEST_DOCUMENT, "its config is too large: {} bytes", manifest.config.size);
    if blobs.document(&manifest.config.digest).is_none() {
        blobs.heal([&manifest.config]);
        client.blob(reference, &manifest.config, blobs, &|_| {})?;
    }
    let config = blobs.document(&manifest.config.digest).context("its config disappeared")?;
    let config: ImageConfig = serde_json::from_slice(&config).context("its config is not an image config")?;
    ensure!(
        (config.os.as_str(), config.architecture.as_str()) == (platform.os.as_str(), platform.architecture.as_str()),
        Code::BasePlatform.error(format!(
            "it is for {}/{} instead of {platform}",
            config.os.escape_debug(),
            config.architecture.escape_debug()
        ))
    );
    let diff_ids = config.rootfs.diff_ids;
    ensure!(
        diff_ids.len() == manifest.layers.len(),
        "its config has {} layers, but its manifest has {}",
        diff_ids.len(),
        manifest.layers.len()
    );
    Ok(Resolved { digest, manifest: manifest_digest, layers: manifest.layers, diff_ids })
}

/// Brings blobs into the cache, several at a time.
///
/// # Errors
/// The first one; what was fetched whole stays.
pub fn fetch(
    client: &Client<'_>,
    blobs: &Blobs,
    reference: &Reference,
    wanted: &[&Descriptor],
    advance: &(dyn Fn(u64) + Sync),
) -> Result<()> {
    in_parallel(wanted, |blob| client.blob(reference, blob, blobs, advance))
}

/// Does something with each, some at a time; after an error no more are begun.
pub(super) fn in_parallel<T: Sync>(all: &[T], each: impl Fn(&T) -> Result<()> + Sync) -> Result<()> {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(None);
    let work = || {
        while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(error) = each(one) {
                next.store(all.len(), Ordering::Relaxed);
                failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_or_insert(error);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..PARALLEL.min(all.len()) {
            scope.spawn(work);
        }
        work();
    });
    failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).map_or(Ok(()), Err)
}

fn document(client: &Client<'_>, blobs: &Blobs, reference: &Reference) -> Result<(Digest, Vec<u8>)> {
    if let Some(digest) = reference.digest
        && let Some(bytes) = blobs.document(&digest)
    {
        return Ok((digest, bytes));
    }
    let (digest, bytes) = client.manifest(reference)?;
    parse(&bytes)?;
    blobs.keep(&digest, &bytes)?;
    Ok((digest, bytes))
}

enum Document {
    Index(Index),
    ImageManifest(ImageManifest),
}

/// What a document is, by its content: the media type in a header is only what a server says.
fn parse(bytes: &[u8]) -> Result<Document> {
    let value: Value = serde_json::from_slice(bytes).context("its manifest is not JSON")?;
    match value.get("schemaVersion").and_then(Value::as_u64) {
        Some(2) => {}
        Some(1) => bail!(
            "its manifest has Docker's old schema 1, which has no digests of layers\nhelp: push it again with a current version of Docker"
        ),
        _ => bail!("its manifest has no `schemaVersion`"),
    }
    if value.get("manifests").is_some() {
        return serde_json::from_value(value).map(Document::Index).context("its index is invalid");
    }
    serde_json::from_value(value).map(Document::ImageManifest).context("its manifest is not an image manifest")
}

/// The manifest of an index for a platform. Where several variants of an architecture fit, the nearest one that is not
/// higher is taken.
fn choose<'a>(index: &'a Index, wanted: &Platform) -> Result<&'a Descriptor> {
    let named = || index.manifests.iter().filter(|descriptor| descriptor.platform.is_some());
    // The first of equals, as other tools take it.
    wanted.nearest(named()).first().copied().ok_or_else(|| {
        let platforms = named().filter_map(|descriptor| descriptor.platform.as_ref()).map(ToString::to_string);
        let mut there: Vec<String> = platforms.filter(|platform| !platform.starts_with("unknown")).collect();
        there.dedup();
        let there = there.join(", ");
        Code::BasePlatform.error(format!("it is not available for {wanted}, only for {}", there.escape_debug())).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(platforms: &[(&str, Option<&str>)]) -> Index {
        let manifests = platforms.iter().map(|(architecture, variant)| Descriptor {
            media_type: String::new(),
            digest: Digest::of(format!("{architecture}{variant:?}")),
            size: 1,
            platform: Some(Platform {
                architecture: (*architecture).into(),
                os: "linux".into(),
                variant: variant.map(str::to_owned),
            }),
            annotations: Default::default(),
        });
        Index { schema_version: 2, media_type: String::new(), manifests: manifests.collect(), annotations: Default::default() }
    }

    #[test]
    fn the_nearest_variant_is_chosen() {
        let index =
            index(&[("amd64", Some("v3")), ("amd64", None), ("arm", Some("v5")), ("arm", Some("v7")), ("arm64", Some("v8"))]);
        let chosen = |architecture: &str, variant: Option<&str>| {
            let wanted = Platform { architecture: architecture.into(), os: "linux".into(), variant: variant.map(str::to_owned) };
            choose(&index, &wanted).map(|d| d.platform.as_ref().expect("platform").to_string()).map_err(|e| e.to_string())
        };
        assert_eq!(chosen("amd64", None), Ok("linux/amd64".into()));
        assert_eq!(chosen("arm", Some("v7")), Ok("linux/arm/v7".into()));
        assert_eq!(chosen("arm", Some("v6")), Ok("linux/arm/v5".into()));
        assert_eq!(chosen("arm64", None), Ok("linux/arm64/v8".into()));
        assert!(chosen("riscv64", None).expect_err("none").contains("only for linux/amd64/v3, linux/amd64"));
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        for bad in [&b"<html>"[..], b"{}", b"[]", br#"{"schemaVersion":1,"fsLayers":[]}"#, br#"{"schemaVersion":2}"#] {
            assert!(parse(bad).is_err());
        }
    }
}
