//! Pure values: what an app and its services are, once everything is decided.

mod binary;
mod file;
mod name;
mod platform;
mod service;

pub use binary::Binary;
pub use file::GeneratedFile;
pub use name::{Author, ImageRef, Name, Version};
pub use platform::Target;
pub use service::{AppFile, Health, Port, Protocol, Route, Service, Volume, VolumeSource};
