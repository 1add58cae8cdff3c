//! Code that the services of the photo gallery share.

mod client;
pub mod config;
mod failure;
mod photo;
mod server;

pub use client::Client;
pub use failure::Failure;
pub use photo::Photo;
pub use server::serve;

/// The media type of the photos that services exchange.
pub const JPEG: &str = "image/jpeg";

/// The largest photo that a service accepts, in bytes.
pub const MAX_PICTURE: usize = 32 << 20;
