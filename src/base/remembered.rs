//! Bases that an engine gave, remembered while their layers are in the cache.

use std::path::Path;

use anyhow::Result;

use super::archive;
use crate::app::{Base, BaseChoice};
use crate::oci::{ImageConfig, RootFs};
use crate::segment::Packer;

/// What `make` makes, or what it made when `record` was written, if all of that is still there.
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
