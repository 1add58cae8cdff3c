//! Whether executables find their libraries in the tree.

use anyhow::Result;

use super::assembly::Parcel;
use super::tree::Tree;

/// What plugins lack, as notes.
///
/// # Errors
/// When an executable, or a library that one needs, lacks a library.
pub fn libraries(_tree: &Tree, _parcels: &[Parcel]) -> Result<Vec<String>> {
    Ok(Vec::new())
}
