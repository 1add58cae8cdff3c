//! One file per verb: the only place where stages meet.

mod bases;
pub mod build;
mod built;
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
pub mod push;
mod session;
pub mod update;
pub mod verify;

pub use session::{Options, Session};
