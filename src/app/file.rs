//! Files in images, and generated files.

use std::path::PathBuf;

use serde::Serialize;

/// A text file to write to the output folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedFile {
    /// Path relative to the output folder, with `/` as separator.
    pub path: String,
    /// Contents.
    pub contents: String,
}

/// A file in an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct AppFile {
    /// Absolute path in the image.
    pub to: String,
    /// Absolute path on this machine.
    pub from: PathBuf,
    /// Whether the file is executable: the only part of a mode that a Git checkout keeps.
    pub executable: bool,
    /// The link's target, if the file is packed as a symbolic link.
    pub link: Option<String>,
}
