//! Containers on this machine: started, watched, shown, stopped; nothing of them is left.

pub mod apps;
mod compose;
mod container;
pub mod dependency;
mod environment;
mod health;
mod launch;
mod manner;
mod new;
mod output;
pub mod owner;
pub mod ports;
mod started;
mod variables;

pub use dependency::Addresses;
pub use launch::Launch;
pub use manner::{Grace, Manner};
pub use output::Output;
pub use started::Started;
