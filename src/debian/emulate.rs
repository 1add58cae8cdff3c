//! Does what the packages' scripts would do.

mod accounts;

use anyhow::Result;

use super::assembly::Parcel;
use super::recipe::Recipe;
use super::tree::Tree;

/// Completes a tree; gives what the user should know.
///
/// # Errors
/// When a script would do what is not known.
pub fn all(tree: &mut Tree, _parcels: &[Parcel], _recipe: &Recipe, epoch: u64) -> Result<Vec<String>> {
    accounts::write(tree, epoch)?;
    Ok(Vec::new())
}
