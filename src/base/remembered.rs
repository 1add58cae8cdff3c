//! Remembers bases that were read or built, as long as their layers are in the cache.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::archive;
use crate::app::{Base, BaseChoice, Target};
use crate::digest::Digest;
use crate::oci::{ImageConfig, RootFs};
use crate::segment::{KnownDigests, Packer};

/// What an archive contained when it was last read, stored under its digest.
#[derive(Serialize, Deserialize)]
struct Record {
    config: ImageConfig,
    reference: Option<String>,
}

/// Like [`archive::read`], but does not open an archive that has not changed while its layers are still packed.
pub fn read_once(path: &Path, target: &Target, packer: &Packer, known: &KnownDigests) -> Result<Base> {
    if path.is_dir() {
        return archive::read(path, target, packer);
    }
    let stamped = known.stamp(path)?;
    if let Some(base) = recall(path, target, packer, known) {
        return Ok(base);
    }
    let base = archive::read(path, target, packer)?;
    let rootfs = RootFs { diff_ids: base.layers.iter().map(|layer| layer.diff_id).collect(), ..RootFs::default() };
    let config = ImageConfig {
        os: target.platform.os.clone(),
        architecture: target.platform.architecture.clone(),
        config: base.config.clone(),
        history: base.history.clone(),
        rootfs,
        ..ImageConfig::default()
    };
    let record = serde_json::to_vec(&Record { config, reference: base.reference.clone() })?;
    let sum = Digest::of(&record);
    crate::fs::write(&record_path(&sum, packer), &record)?;
    known.remember_layer(path, stamped, sum);
    Ok(base)
}

fn record_path(sum: &Digest, packer: &Packer) -> PathBuf {
    packer.cache().folder().join(format!("archive-{}.json", sum.hex()))
}

fn recall(path: &Path, target: &Target, packer: &Packer, known: &KnownDigests) -> Option<Base> {
    let sum = known.recall_layer(path)?;
    let bytes = std::fs::read(record_path(&sum, packer)).ok().filter(|bytes| Digest::of(bytes) == sum)?;
    let Record { config, reference } = serde_json::from_slice(&bytes).ok()?;
    let platform = &target.platform;
    if (&config.os, &config.architecture) != (&platform.os, &platform.architecture) {
        return None;
    }
    Some(Base { reference, ..archive::cached(config, BaseChoice::Archive(path.to_owned()), packer)? })
}

/// Returns what `make` returns, or its earlier result from `record` if all its layers still exist.
#[cfg(feature = "engine")]
pub fn remembered(record: &Path, choice: BaseChoice, packer: &Packer, make: impl FnOnce() -> Result<Base>) -> Result<Base> {
    let config = std::fs::read(record).ok().and_then(|bytes| serde_json::from_slice::<ImageConfig>(&bytes).ok());
    if let Some(base) = config.and_then(|config| archive::cached(config, choice.clone(), packer)) {
        return Ok(base);
    }
    let base = make()?;
    let rootfs = RootFs { diff_ids: base.layers.iter().map(|layer| layer.diff_id).collect(), ..RootFs::default() };
    let config = ImageConfig { config: base.config.clone(), history: base.history.clone(), rootfs, ..ImageConfig::default() };
    crate::fs::write(record, &serde_json::to_vec(&config)?)?;
    Ok(Base { choice, ..base })
}
