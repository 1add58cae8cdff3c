//! What a file contains, who says so, and what is known of it, in the documents that others read.

pub mod advisory;
mod algorithm;
pub mod audit;
mod carried;
mod crate_list;
mod der;
mod ecdsa;
mod envelope;
mod key;
mod licenses;
mod origin;
mod pem;
pub mod purl;
mod referrer;
pub mod sbom;
mod service_crates;
mod sign;
mod signer;
mod signing_key;
mod statement;
mod verify;
mod verifying_key;
pub mod vex;

pub use carried::{Carrier, carried, carry};
pub use crate_list::{CrateKind, CrateList, ListedCrate};
pub use envelope::{LARGEST_ENVELOPES, Refusal, Signed, Unsigned, open};
pub use licenses::{LicenseTexts, license_files, license_texts};
pub use origin::Origin;
pub use referrer::{Attachment, DocumentImage, KEY};
pub use service_crates::{ServiceCrates, UsedCrate};
pub use sign::{AppRelease, Signable, envelope_of, envelope_path, is_artifact, sealed, sum};
pub use signer::{BundleSigner, SigningProgram};
pub use signing_key::SigningKey;
pub use statement::{Statement, Subject};
pub use verify::{Coverage, NamedKey, VerifiedBundle, is_signed, unsigned, verify};
pub use verifying_key::VerifyingKey;
