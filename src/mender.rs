//! Mender artifacts, format 3 (`docs/file-format.md`, section 2): the container that an `.auterionos` file is.

mod beginning;
mod canonical;
mod faults;
mod header;
mod manifest;
mod part;
mod read;
mod write;

pub use beginning::{Beginning, decode_signature, encode_signature};
pub use canonical::is_canonical;
pub use faults::Faults;
pub use header::Header;
pub use part::{HEAD, is_artifact};
pub use read::{File, Reading, read};
pub use write::{Artifact, ManifestSigner, PayloadFile, PayloadWriter, write};
