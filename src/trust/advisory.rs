//! Advisories: which versions of a package have a known vulnerability, as databases in a folder on this machine say.
//!
//! Two kinds of files are read: RustSec's Markdown with TOML at its beginning ([`rustsec`]), and JSON in OSV's form ([`osv`]), which
//! RustSec and Debian publish. A [`Database`] is all of them, and answers for one package at a time.

mod database;
mod ecosystem;
mod events;
pub mod osv;
mod rating;
mod record;
pub mod rustsec;
mod safe_range;

pub use database::Database;
pub use ecosystem::Ecosystem;
pub use events::{VersionEvent, VersionOrder};
pub use rating::{Rating, Scored};
pub use record::{Advisory, AffectedPackage, AffectedVersions};
pub use safe_range::SafeRange;
