//! From a Cargo workspace to one file that a device installs.
#![warn(missing_docs)]

pub mod archive;
pub mod digest;
pub mod fs;
pub mod oci;
pub mod process;
pub mod shell;
