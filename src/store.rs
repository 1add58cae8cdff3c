//! The one reader of images: from a docker archive or an OCI layout to configs, layers and names, within limits.
//!
//! A [`Walk`] follows the documents, wherever their bytes are: in an [`Archive`], whose members are found by seeking, or in a stream that
//! was read once. What it finds wrong it reports, and whoever asked decides whether to go on: [`strictly`] ends with the first fault,
//! `verify` gathers them all.

mod archive;
mod image;
mod walk;

use std::borrow::Cow;

use anyhow::{Result, bail};

pub use archive::Archive;
pub use image::{Listed, Listing, StoredImage, StoredLayer, StoredManifest};
pub use walk::Walk;

/// Bytes of all documents of an archive together, each as often as it is referred to.
pub const ALL_DOCUMENTS: u64 = 64 << 20;

/// Indexes and manifests that are followed.
const MOST: usize = 10_000;

/// Where documents are found by their paths.
pub trait Documents {
    /// The bytes of the file that a path leads to, through links; `None` if there is none.
    fn size(&self, path: &str) -> Option<u64>;

    /// The bytes of a document that is there.
    ///
    /// # Errors
    /// When it is too large, or cannot be read.
    fn document(&self, path: &str) -> Result<Cow<'_, [u8]>>;
}

/// What a walk comes across.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Something that is wrong.
    Fault(String),
    /// Something that is allowed and may surprise all the same.
    Note(String),
}

/// Receives findings; an error ends the walk.
pub type Findings<'a> = dyn FnMut(Finding) -> Result<()> + 'a;

/// Ends a walk at the first fault.
///
/// # Errors
/// The fault.
pub fn strictly(finding: Finding) -> Result<()> {
    match finding {
        Finding::Fault(fault) => bail!(fault),
        Finding::Note(_) => Ok(()),
    }
}
