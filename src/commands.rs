//! One file per verb: the only place where stages meet.

pub mod build;
mod fresh;
pub mod generate;
pub mod plan;
mod session;

pub use session::{Options, Session};
