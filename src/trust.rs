//! What a file contains, in the documents that others read.

mod crate_list;

pub use crate_list::{CrateKind, CrateList, ListedCrate};
