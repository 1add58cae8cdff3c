//! What the services of the photo gallery share.

mod client;
pub mod config;
mod failure;
mod photo;
mod server;

pub use client::Client;
pub use failure::Failure;
pub use photo::Photo;
pub use server::serve;

/// The type of the pictures that go from service to service.
pub const JPEG: &str = "image/jpeg";

/// The largest picture that a service takes, in bytes.
pub const MAX_PICTURE: usize = 32 << 20;
