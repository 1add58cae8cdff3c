//! Starts, watches, shows and stops containers on this machine, then removes them and their network.

pub mod apps;
mod compose;
mod container;
pub mod dependency;
mod dotenv;
mod environment;
mod found;
mod health;
mod interpolation;
mod labels;
mod launch;
mod manner;
mod new;
mod output;
pub mod owner;
pub mod ports;
mod started;
mod variables;

pub use container::Down;
pub use dependency::Addresses;
pub use found::{FoundApp, table};
pub use launch::Launch;
pub use manner::{Grace, Manner};
pub use output::Output;
pub use started::Started;
pub use variables::Variables;
