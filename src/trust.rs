//! What a file contains, in the documents that others read, and what is known of it.

pub mod advisory;
pub mod audit;
mod crate_list;
pub mod purl;
pub mod vex;

pub use crate_list::{CrateKind, CrateList, ListedCrate};
