//! What a file contains, in the documents that others read, and what is known of it.

pub mod advisory;
mod crate_list;

pub use crate_list::{CrateKind, CrateList, ListedCrate};
