//! The development loop: rebuilds services and restarts them when their sources change.

mod control;
mod inside;
mod launched;
mod looped;
mod prepared;
mod revival;
mod running;
pub mod supervise;
mod watch;

pub use inside::Inside;
pub use looped::Loop;

/// How long a service may take to end before it is killed.
pub const GRACE: std::time::Duration = std::time::Duration::from_secs(2);
