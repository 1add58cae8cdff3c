//! From a Cargo workspace to one file that a device installs.
#![warn(missing_docs)]

pub mod app;
pub mod archive;
pub mod config;
pub mod digest;
pub mod elf;
pub mod fs;
pub mod mender;
pub mod oci;
pub mod process;
pub mod segment;
pub mod shell;
