//! A file that `render` returns.

/// A text file to be written below the output folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedFile {
    /// Relative, with `/`.
    pub path: String,
    /// The whole text.
    pub contents: String,
}
