//! Where the files of a service are.

use std::path::{Path, PathBuf};

/// Where the files of entries are.
#[derive(Debug)]
pub struct Places<'a> {
    /// Where their paths begin.
    pub folder: &'a Path,
    /// The folder that links do not lead out of.
    pub workspace: &'a Path,
    /// What will be written before the files are packed, and is not found until then.
    pub made: &'a [PathBuf],
}
