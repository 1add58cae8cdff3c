//! Image registries: a blocking client of the OCI distribution-spec 1.1, credentials, and a cache of blobs.
//!
//! Everything that a server says is checked: a manifest by its digest, a blob by digest and length, before it gets the name
//! under which others look for it.

mod access;
mod blobs;
mod certificates;
mod challenge;
mod client;
mod connections;
mod credentials;
mod download;
mod image;
mod proxies;
mod reference;
mod refused;
mod retry;
mod secret;
mod upload;
mod url;

pub use access::Access;
pub use blobs::{BLOBS_CAP, Blobs};
pub use client::Client;
pub use credentials::Store;
pub use image::{Resolved, fetch, resolve};
pub use reference::Reference;
pub use secret::Credentials;
pub use upload::{Advance, Upload};
