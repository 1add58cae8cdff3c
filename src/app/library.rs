//! Shared libraries of the workspace.

use serde::Serialize;

/// A shared library of the workspace that a service packs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Library {
    /// The name of its file, such as `libkeys.so`.
    pub file: String,
    /// The package that it is compiled from.
    pub package: String,
    /// Whether the package has default features.
    #[serde(skip)]
    pub has_default: bool,
}

impl Library {
    /// The folder of images that has them. Every loader searches it.
    pub const FOLDER: &'static str = "/usr/lib";

    /// Its path in an image.
    pub fn place(&self) -> String {
        format!("{}/{}", Self::FOLDER, self.file)
    }
}
