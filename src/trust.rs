//! What a file contains, in the documents that others read.

mod carried;
mod crate_list;
mod licenses;
mod origin;
pub mod purl;
pub mod sbom;
mod service_crates;

pub use carried::{Carrier, carried, carry};
pub use crate_list::{CrateKind, CrateList, ListedCrate};
pub use licenses::{LicenseTexts, license_files, license_texts};
pub use origin::Origin;
pub use service_crates::{ServiceCrates, UsedCrate};
