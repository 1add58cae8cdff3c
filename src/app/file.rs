//! Files: in an image, and generated ones.

use std::path::PathBuf;

use serde::Serialize;

/// A text file to be written below the output folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedFile {
    /// Relative, with `/`.
    pub path: String,
    /// The whole text.
    pub contents: String,
}

/// A file in an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct AppFile {
    /// Absolute path in the image.
    pub to: String,
    /// Absolute path on this machine.
    pub from: PathBuf,
    /// Whether it may be executed: all of a file's mode that a checkout keeps.
    pub executable: bool,
    /// The target, when it stays a symbolic link.
    pub link: Option<String>,
}
