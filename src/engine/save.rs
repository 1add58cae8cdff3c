//! Saves images of an engine as a docker archive.

use std::io::Write;

use anyhow::{Context as _, Result};
use futures_util::StreamExt as _;

use super::Engine;

impl Engine {
    /// Writes images as a docker archive; returns its size.
    ///
    /// # Errors
    /// When the engine lacks an image or stops answering, or writing fails.
    pub fn save(&self, names: &[&str], to: &mut dyn Write) -> Result<u64> {
        let told = |error| self.told(error, "saving images");
        self.runtime.block_on(async {
            let mut pieces = std::pin::pin!(self.docker.export_images(names));
            let mut size = 0;
            while let Some(piece) = pieces.next().await {
                let piece = piece.map_err(told)?;
                to.write_all(&piece).context("failed to write the saved images")?;
                size += piece.len() as u64;
            }
            Ok(size)
        })
    }
}
