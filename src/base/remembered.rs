//! Remembers bases that were read or built, as long as their layers are in the cache.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::archive;
use crate::app::{Base, BaseChoice, Target};
use crate::digest::Digest;
use crate::oci::{ImageConfig, RootFs};
use crate::segment::{KnownDigests, Packer};

/// What was read last.
#[derive(Serialize, Deserialize)]
struct Record {
    config: ImageConfig,
    reference: Option<String>,
    /// See [`Base::written`].
    written: Option<String>,
}

impl Record {
    fn of(base: &Base, target: Option<&Target>) -> Self {
        let rootfs = RootFs { diff_ids: base.layers.iter().map(|layer| layer.diff_id).collect(), ..RootFs::default() };
        let platform = target.map(|target| (target.platform.os.clone(), target.platform.architecture.clone()));
        let (os, architecture) = platform.unwrap_or_default();
        let config = ImageConfig {
            os,
            architecture,
            config: base.config.clone(),
            history: base.history.clone(),
            rootfs,
            ..ImageConfig::default()
        };
        Self { config, reference: base.reference.clone(), written: base.written.clone() }
    }

    /// The base, if all its layers still exist.
    fn base(self, choice: BaseChoice, packer: &Packer) -> Option<Base> {
        let base = archive::cached(self.config, choice, packer)?;
        Some(Base { reference: self.reference, written: self.written, ..base })
    }
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
    let record = serde_json::to_vec(&Record::of(&base, Some(target)))?;
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
    let record: Record = serde_json::from_slice(&bytes).ok()?;
    let (config, platform) = (&record.config, &target.platform);
    if (&config.os, &config.architecture) != (&platform.os, &platform.architecture) {
        return None;
    }
    record.base(BaseChoice::Archive(path.to_owned()), packer)
}

/// Returns what `make` returns, or its earlier result from `record` if all its layers still exist.
#[cfg(feature = "engine")]
pub fn remembered(record: &Path, choice: BaseChoice, packer: &Packer, make: impl FnOnce() -> Result<Base>) -> Result<Base> {
    let read = std::fs::read(record).ok().and_then(|bytes| serde_json::from_slice::<Record>(&bytes).ok());
    if let Some(base) = read.and_then(|read| read.base(choice.clone(), packer)) {
        return Ok(base);
    }
    let base = make()?;
    crate::fs::write(record, &serde_json::to_vec(&Record::of(&base, None))?)?;
    Ok(Base { choice, ..base })
}
