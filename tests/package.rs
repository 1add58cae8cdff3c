//! The crate as it is published: everything that its build reads, and nothing that only this repository needs.

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{ok, repository};

/// Paths in the packed crate.
fn packed() -> BTreeSet<PathBuf> {
    let list = ok(Command::new("cargo").args(["package", "--list", "--locked", "--allow-dirty"]).current_dir(repository()));
    list.lines().map(PathBuf::from).collect()
}

/// A path without its `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => assert!(normal.pop(), "{}", path.display()),
            part => normal.push(part),
        }
    }
    normal
}

/// The files below a folder of the repository, with its own name in front.
fn files(folder: &str) -> BTreeSet<PathBuf> {
    let root = repository();
    let entries = walkdir::WalkDir::new(root.join(folder)).into_iter().map(|entry| entry.expect("readable"));
    let files = entries.filter(|entry| entry.file_type().is_file());
    files.map(|file| file.path().strip_prefix(&root).expect("inside").to_owned()).collect()
}

#[test]
fn it_holds_every_file_that_its_sources_include() {
    let packed = packed();
    let mut included = 0;
    for source in files("src") {
        // Keys of archives are bytes.
        let text = String::from_utf8_lossy(&std::fs::read(repository().join(&source)).expect("read")).into_owned();
        for piece in text.replace("include_bytes!", "include_str!").split("include_str!(\"").skip(1) {
            let named = piece.split('"').next().expect("a path");
            let path = normal(&source.parent().expect("folder").join(named));
            assert!(packed.contains(&path), "{} includes {}, which is not in the crate", source.display(), path.display());
            included += 1;
        }
    }
    assert!(included > 10, "{included}");
}

#[test]
fn it_holds_sources_templates_schema_and_what_readers_look_for() {
    let mut expected = files("src");
    expected.extend(files("templates"));
    let root = [".cargo_vcs_info.json", "Cargo.lock", "Cargo.toml", "Cargo.toml.orig"];
    let known = ["README.md", "CHANGELOG.md", "appbundle.schema.json"];
    expected.extend(root.into_iter().chain(known).map(PathBuf::from));
    expected
        .extend(["LICENSE-MIT", "LICENSE-APACHE"].map(PathBuf::from).into_iter().filter(|path| repository().join(path).exists()));
    // Cargo writes this one in a checkout of git only.
    let mut packed = packed();
    packed.insert(".cargo_vcs_info.json".into());
    let (missing, more): (Vec<_>, Vec<_>) = (expected.difference(&packed).collect(), packed.difference(&expected).collect());
    assert!(missing.is_empty() && more.is_empty(), "missing: {missing:?}\nmore than expected: {more:?}");
}
