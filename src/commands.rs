//! One file per verb: the only place where stages meet.

mod bases;
pub mod build;
mod built;
#[cfg(feature = "engine")]
mod by_engine;
pub mod ci;
pub mod clean;
pub mod deploy;
#[cfg(feature = "engine")]
pub mod dev;
#[cfg(feature = "engine")]
mod dockerfiles;
pub mod doctor;
mod fresh;
pub mod generate;
mod images;
pub mod init;
pub mod inspect;
#[cfg(feature = "engine")]
pub mod load;
pub mod new_service;
mod others;
pub mod plan;
mod platforms;
pub mod push;
#[cfg(feature = "engine")]
pub mod run;
mod session;
#[cfg(feature = "engine")]
pub mod supervise;
#[cfg(feature = "engine")]
pub mod swarm;
#[cfg(feature = "engine")]
pub mod test;
pub mod update;
pub mod verify;
mod wanted;

pub use session::{Options, Session, report};
