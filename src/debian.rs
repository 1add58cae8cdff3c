//! Bases of Debian packages: verified, chosen, unpacked, and set up as their scripts would, without running anything.
//!
//! A [`Recipe`] becomes a [`DebianPin`] by asking an archive ([`pin()`]), and the pin's packages, once they are fetched ([`fetch()`]), become a
//! tree ([`assemble`]).

mod assembly;
mod check;
mod control;
mod deb;
mod edition;
mod emulate;
mod index;
mod installed;
mod library_name;
mod openpgp;
mod parcel;
mod pin;
mod recipe;
mod relation;
mod release;
mod repository;
mod resolver;
mod snapshots;
mod sources;
mod spool;
mod tree;
mod version;

pub use assembly::{assemble, globs};
pub use deb::Unpacked;
pub use edition::{edition, edition_named, edition_of_glibc};
pub use index::PackageIndex;
pub use installed::{InstalledPackage, OS_RELEASE, has_records, installed};
pub use library_name::package_of_library;
pub use openpgp::Keyring;
pub use pin::{DebianPin, PackagePin};
pub use recipe::{Distribution, Recipe, architecture};
pub use release::Release;
pub use repository::{fetch, pin, sources};
pub use resolver::{ChosenPackage, UnmetPackages, resolve};
pub use spool::Spool;
pub use version::compare as compare_versions;
