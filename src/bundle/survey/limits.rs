//! How much of a bundle is looked at.

use crate::archive::MOST_UNPACKED;

/// Limits of a survey.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most bytes to unpack in total.
    pub unpacked: u64,
    /// How many of the largest files to report.
    pub largest: usize,
    /// Whether to look into executables, for their lists of crates.
    pub executables: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { unpacked: MOST_UNPACKED, largest: 10, executables: false }
    }
}
