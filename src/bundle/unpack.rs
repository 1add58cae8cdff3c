//! From a bundle back to images that can be pushed.

use std::path::Path;

use anyhow::{Result, bail};

use super::Outgoing;

/// The images of a bundle.
///
/// # Errors
/// When it is none.
pub fn outgoing(_path: &Path, _scratch: &Path) -> Result<Vec<Outgoing>> {
    bail!("bundles cannot be pushed yet\nhelp: run `cargo appbundle push` in the workspace")
}
