//! Root file systems of Debian's packages, kept from one run of the tests to the next.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::PathBuf;
use std::process::Command;

use cargo_appbundle::digest::Digest;

use super::ok;

/// What mmdebstrap makes with these arguments, as a tar in the user's cache. Whoever wants new packages removes it there.
pub fn root_file_system(arguments: &[&str]) -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map_or_else(|| PathBuf::from(std::env::var_os("HOME").expect("HOME")).join(".cache"), PathBuf::from);
    let folder = cache.join("cargo-appbundle-tests");
    std::fs::create_dir_all(&folder).expect("folder");
    let tar = folder.join(format!("{}.tar", Digest::of(arguments.join(" ")).hex()));
    if !tar.is_file() {
        // Whoever is interrupted leaves nothing, and two at once make the same.
        let partial = tempfile::Builder::new().suffix(".tar").tempfile_in(&folder).expect("file").into_temp_path();
        ok(Command::new("mmdebstrap").args(arguments).arg(&partial));
        std::fs::rename(&partial, &tar).expect("renamed");
    }
    tar
}
