//! The one file: images in, a bundle out.

mod auterionos;
mod contents;
mod layout;
mod states;
pub mod survey;

pub use auterionos::{Payload, begin_sum, write as write_auterionos};
pub use contents::{BundledImage, BundledLayer, Contents, contents, write_images};
pub use layout::{Kind, write as write_layout};
