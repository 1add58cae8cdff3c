//! From a Cargo workspace to one file that a device installs.
//!
//! The program is [`cli::run`]. What others may find useful of the library is public: reading and checking bundles ([`bundle`],
//! [`mender`], [`store`], [`elf`]) and the schema of the tables ([`config`]).
//!
//! # What happens in a build
//!
//! `pipeline::bundles` has these steps, in this order. Each takes values and returns values; the last one writes.
//!
//! 1. **Plan.** [`workspace`] reads what Cargo knows, [`config`] reads the tables, and [`plan::resolve`] makes one [`plan::Plan`] of
//!    both. It decides everything, and nothing changes it.
//! 2. **Compile.** [`compile::cargo`] runs Cargo once for all services, after the workspace's own commands; [`compile::look`] makes an [`app::Binary`] of each executable.
//!    If these and all other inputs are those of the last build, the build ends here.
//! 3. **Read the bases.** [`base`] makes an [`app::Base`] of each root file system, archive, image of a registry, or Dockerfile. A
//!    service with its binary and its base is an [`app::Unit`].
//! 4. **Check.** [`base::check`] holds each binary against its base: machine, loader, libraries, versions of symbols.
//! 5. **Render.** [`render`] turns the plan into text: `app.yml`, Dockerfiles, deployment files.
//! 6. **Pack.** [`image::build`] sorts files into layers, [`segment`] compresses them in parallel or finds them in its cache, and an
//!    [`app::Image`] joins them.
//! 7. **Write.** [`bundle`] writes images front to back into one file while it hashes; the file gets its name when it is whole.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![allow(rustdoc::private_intra_doc_links, reason = "docs.rs shows private modules too: see Cargo.toml")]
#![cfg_attr(not(feature = "engine"), allow(dead_code, unused_imports, reason = "engines need more of other modules"))]

pub mod app;
mod apt;
pub mod archive;
mod base;
pub mod bundle;
pub mod cli;
mod commands;
mod compile;
pub mod config;
pub mod debian;
#[cfg(feature = "engine")]
mod dev;
pub mod diagnostic;
pub mod digest;
mod doctor;
pub mod elf;
#[cfg(feature = "engine")]
mod engine;
pub mod fs;
mod grpc;
mod image;
pub mod mender;
pub mod oci;
mod os;
mod pipeline;
mod plan;
mod process;
mod registry;
mod render;
#[cfg(feature = "engine")]
mod runtime;
mod scaffold;
mod segment;
mod shell;
pub mod store;
#[cfg(feature = "engine")]
mod swarm;
#[cfg(feature = "engine")]
mod testing;
pub mod trust;
mod workspace;
