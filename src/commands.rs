//! One file per verb: the only place where stages meet.

mod bases;
pub mod build;
pub mod ci;
pub mod clean;
pub mod doctor;
mod fresh;
pub mod generate;
mod images;
pub mod init;
pub mod inspect;
pub mod new_service;
pub mod plan;
mod session;
pub mod verify;

pub use session::{Options, Session};
