//! A package that is unpacked, before it is laid into the tree.

use super::control::Paragraph;
use super::deb::Unpacked;

/// A package on its way into the tree.
#[derive(Debug)]
pub struct Parcel {
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// `arm64`, or `all`.
    pub architecture: String,
    /// What it holds.
    pub unpacked: Unpacked,
}

impl Parcel {
    /// A field of its control file.
    pub fn field(&self, name: &str) -> Option<String> {
        let text = self.unpacked.text("control")?;
        Paragraph::parse(&text).get(name).map(str::to_owned)
    }
}
