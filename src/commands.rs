//! One file per verb: it takes the options, makes one call, and prints the result.

pub mod audit;
pub mod build;
pub mod ci;
pub mod clean;
pub mod deploy;
#[cfg(feature = "engine")]
pub mod dev;
pub mod doctor;
pub mod explain;
pub mod generate;
pub mod init;
pub mod inspect;
pub mod keygen;
#[cfg(feature = "engine")]
pub mod load;
#[cfg(feature = "engine")]
pub mod local;
pub mod new_service;
pub mod plan;
pub mod push;
#[cfg(feature = "engine")]
pub mod run;
pub mod sbom;
pub mod schema;
pub mod sign;
pub mod signer;
#[cfg(feature = "engine")]
pub mod test;
pub mod update;
pub mod vendor;
pub mod verify;

pub use crate::pipeline::{Options, last_bundle_of_any_target, report};
