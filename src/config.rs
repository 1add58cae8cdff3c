//! The tables in manifests: `[workspace.metadata.appbundle]` and `[package.metadata.service]`, as they are written.
//!
//! The types in [`tables`] are the one description: serde reads them, the JSON Schema is generated from them, and manifests
//! are checked against that schema, so that every mistake is found at once and where it stands.

pub mod lockfile;
mod manifest;
mod problem;
pub mod schema;
pub mod stray;
pub mod tables;

pub use manifest::{Manifest, Place, Step};
pub use problem::{Problem, Problems};
