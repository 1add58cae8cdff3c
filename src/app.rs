//! Pure values: what an app and its services are, once everything is decided.

pub mod auterion_values;
mod base;
mod binary;
mod claim;
mod destination;
mod dev;
mod device;
mod facts;
mod file;
mod image;
mod layer_of;
mod name;
mod needs;
mod platform;
mod resources;
mod service;
mod stack;

pub use base::{Base, BaseChoice, Dockerfile};
pub use binary::Binary;
pub use claim::Claim;
pub use destination::Destination;
pub use dev::{DEV_VARIABLE, SOURCE_FOLDER, own_ports};
pub use device::Device;
pub use facts::{Facts, Part, runpath};
pub use file::GeneratedFile;
pub use image::Image;
pub use layer_of::LayerOf;
pub use name::{Author, ImageRef, Name, Version};
pub use needs::{Dependency, Needs, Probe};
pub use platform::Target;
pub use resources::{Cpu, Memory, Resources};
pub use service::{AppFile, Health, Port, Protocol, Route, SecretKey, Service, Volume, VolumeSource};
pub use stack::{Built, Certificate, Gateway, Https, Stack, Swarm};
