//! What a file contains, and who says so, in the documents that others read.

mod algorithm;
mod der;
mod ecdsa;
mod envelope;
mod key;
mod pem;
mod referrer;
mod sign;
mod signer;
mod signing_key;
mod statement;
mod verify;
mod verifying_key;

pub use envelope::{LARGEST_ENVELOPES, Refusal, Signed, Unsigned, open};
pub use referrer::{ARTIFACT_TYPE, EnvelopeImage, KEY};
pub use sign::{AppRelease, Signable, envelope_of, envelope_path, is_artifact, sealed, sum};
pub use signer::{BundleSigner, SigningProgram};
pub use signing_key::SigningKey;
pub use statement::{Statement, Subject};
pub use verify::{Coverage, NamedKey, VerifiedBundle, is_signed, unsigned, verify};
pub use verifying_key::VerifyingKey;
