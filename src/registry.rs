//! Image registries: a blocking client of the OCI distribution-spec 1.1, credentials, and a cache of blobs.
//!
//! Everything from a server is checked: manifests by digest, blobs by digest and length, before they get their final name in the
//! cache.

mod access;
mod blobs;
mod certificates;
mod challenge;
mod client;
mod connections;
mod credentials;
mod download;
mod files;
mod image;
mod proxies;
mod reference;
mod referrers;
mod refused;
mod retry;
mod secret;
mod upload;
mod url;

pub use access::Access;
pub use blobs::{BLOBS_CAP, Blobs};
pub use client::Client;
pub use credentials::Store;
pub use files::{described, fetch_files};
pub use image::{Resolved, fetch, resolve};
pub use reference::Reference;
pub use referrers::Referrer;
pub use secret::Credentials;
pub use upload::{Advance, Upload};
