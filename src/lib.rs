//! From a Cargo workspace to one file that a device installs.
#![warn(missing_docs)]

pub mod app;
pub mod archive;
pub mod base;
pub mod bundle;
pub mod cli;
pub mod commands;
pub mod compile;
pub mod config;
#[cfg(feature = "engine")]
pub mod dev;
pub mod diagnostic;
pub mod digest;
pub mod elf;
#[cfg(feature = "engine")]
pub mod engine;
pub mod fs;
pub mod image;
pub mod mender;
pub mod oci;
pub mod pipeline;
pub mod plan;
pub mod process;
pub mod registry;
pub mod render;
#[cfg(feature = "engine")]
pub mod runtime;
pub mod segment;
pub mod shell;
pub mod store;
#[cfg(feature = "engine")]
pub mod swarm;
pub mod workspace;
