//! Files in images, and generated files.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

/// A text file to write to the output folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedFile {
    /// Path relative to the output folder, with `/` as separator.
    pub path: String,
    /// Contents.
    pub contents: String,
}

/// What a service packs besides its executable: a file, a link or a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct AppFile {
    /// Absolute path in the image.
    pub to: String,
    /// What is there.
    #[serde(flatten)]
    pub content: FileContent,
    /// Permission bits.
    #[serde(serialize_with = "octal")]
    pub mode: u32,
    /// Its owner.
    pub owner: Owner,
}

/// The content of an [`AppFile`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileContent {
    /// A file, by its absolute path on this machine.
    From(PathBuf),
    /// A file with this text, which this tool makes.
    Text(String),
    /// A symbolic link, by its target.
    Link(String),
    /// A folder.
    Folder,
}

/// A user and a group, by their numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// User.
    pub uid: u64,
    /// Group.
    pub gid: u64,
}

impl AppFile {
    /// A file of root's. The executable bit is the only part of a mode that a Git checkout keeps.
    pub fn file(to: impl Into<String>, from: impl Into<PathBuf>, executable: bool) -> Self {
        let mode = if executable { 0o755 } else { 0o644 };
        Self { to: to.into(), content: FileContent::From(from.into()), mode, owner: Owner::default() }
    }

    /// A symbolic link.
    pub fn link(to: impl Into<String>, target: impl Into<String>) -> Self {
        Self { to: to.into(), content: FileContent::Link(target.into()), mode: 0o777, owner: Owner::default() }
    }

    /// A folder.
    pub fn folder(to: impl Into<String>, mode: u32, owner: Owner) -> Self {
        Self { to: to.into(), content: FileContent::Folder, mode, owner }
    }

    /// The file on this machine; `None` for a link or a folder.
    pub fn from(&self) -> Option<&Path> {
        match &self.content {
            FileContent::From(path) => Some(path),
            FileContent::Text(_) | FileContent::Link(_) | FileContent::Folder => None,
        }
    }

    /// The target of a link.
    pub fn target(&self) -> Option<&str> {
        match &self.content {
            FileContent::Link(target) => Some(target),
            FileContent::From(_) | FileContent::Text(_) | FileContent::Folder => None,
        }
    }

    /// Whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.content == FileContent::Folder
    }

    /// Whether it is executable by its owner.
    pub fn is_executable(&self) -> bool {
        self.mode & 0o100 != 0
    }
}

impl Owner {
    /// A user whose group has the same number.
    pub fn of(id: u64) -> Self {
        Self { uid: id, gid: id }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.uid, self.gid)
    }
}

impl Serialize for Owner {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn octal<S: Serializer>(mode: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{mode:04o}"))
}
