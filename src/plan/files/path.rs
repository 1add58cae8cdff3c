//! Paths of `files`, on this machine and in an image.

use std::path::{Component, Path, PathBuf};

use crate::app::AppFile;

/// The part of a pattern before its first special character's component, and the rest.
pub fn split(from: &str) -> (PathBuf, Option<String>) {
    let special = |part: &str| part.contains(['*', '?', '[', '{']);
    let parts: Vec<&str> = from.split('/').collect();
    match parts.iter().position(|part| special(part)) {
        None => (PathBuf::from(from), None),
        Some(at) => (PathBuf::from(format!("{}/", parts[..at].join("/"))).components().collect(), Some(parts[at..].join("/"))),
    }
}

/// Removes `.` and `..` from a path without reading the file system.
pub fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

/// A path in an image, without the slash at its beginning.
///
/// # Errors
/// When it is not absolute, or leads out of the image.
pub fn destination(to: &str) -> Result<String, String> {
    let path = to.strip_prefix('/').ok_or_else(|| format!("`{to}` is not an absolute path in the image"))?;
    crate::archive::confined(path).ok_or_else(|| format!("`{to}` is outside the image"))
}

/// A name in a folder of the image.
pub fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// A file as it is packed.
pub fn plain(to: &str, from: &Path, metadata: &std::fs::Metadata) -> AppFile {
    #[cfg(unix)]
    let executable = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o100 != 0;
    #[cfg(not(unix))]
    let executable = false;
    AppFile::file(format!("/{to}"), from, executable)
}
