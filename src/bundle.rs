//! Reads and writes bundles: the one file that contains an app's images.

mod auterionos;
mod contents;
mod document;
mod head;
mod identity;
mod layout;
mod marks;
mod outgoing;
pub mod survey;
mod told;
mod unpack;

pub use auterionos::{Payload, begin_sum, write as write_auterionos};
pub use contents::{BundledImage, BundledLayer, Contents, contents, contents_by_name, write_images};
pub use document::{Document, sbom_of};
pub use identity::{Identity, identity};
pub use layout::{Kind, Part, begin_digests, descriptor, index, manifest, write as write_layout};
pub use outgoing::{Blob, BlobSource, Outgoing};
pub use unpack::outgoing;
