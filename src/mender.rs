//! Mender artifacts, format 3 (`spec/auterionos.md`, section 2): the container that an `.auterionos` file is.

mod write;

pub use write::{Artifact, PayloadFile, PayloadWriter, write};
