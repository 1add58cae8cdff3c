//! As much of OpenPGP as archives of Debian need (RFC 4880): messages signed in the clear, and the keys that sign them.
//!
//! Version 4, RSA and Ed25519, SHA-256 and longer. Whatever is not understood counts as not there, so that it verifies nothing.

mod algorithm;
mod armor;
mod cleartext;
mod keyring;
mod packet;
mod signature;

pub use cleartext::Cleartext;
pub use keyring::Keyring;
