//! `layout = "multi-binary"`: checks that all services fit into one image.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::manifests::{self, ServiceSource};
use super::paths;
use crate::app::{AppFile, FileContent, Service};
use crate::config::{Problems, Step};
use crate::diagnostic::Code;

/// One image has one name, one base, and one file per path.
pub fn check(sources: &[ServiceSource<'_>], services: &BTreeMap<String, Service>, problems: &mut Problems) {
    let Some(first) = services.values().find(|service| service.package().is_some()) else { return };
    let base_of = |service: &Service| service.package().map(|package| package.base.clone());
    let mut files = BTreeMap::new();
    let mut owners: BTreeMap<&str, &Service> =
        services.values().filter_map(|service| Some((service.package()?.binary_path.as_str(), service))).collect();
    for service in services.values() {
        let Some(package) = service.package() else { continue };
        let Some(source) = manifests::of(sources, service.name.as_str()) else { continue };
        let mut report = source.report(problems);
        if let Some(other) = base_of(first).filter(|other| *other != package.base) {
            let message = format!(
                "services that share an image must share a base: `{}` has {}, `{}` has {other}",
                service.name, package.base, first.name
            );
            report.wrong(Code::OneImage, &[Step::Key("base")], message);
        }
        if service.container.image.canonical() != first.container.image.canonical() {
            let message = format!(
                "with `layout = \"multi-binary\"`, `{}` cannot have its own image `{}`",
                service.name, service.container.image
            );
            report.wrong(Code::OneImage, &[], message);
        }
        for file in &package.files {
            // Folders may have others in them.
            let before = if file.is_folder() { owners.get(file.to.as_str()).copied() } else { owners.insert(&file.to, service) };
            if let Some(other) = before.filter(|other| other.package().is_some_and(|package| package.binary_path == file.to)) {
                let message = format!("`{}` is the path of the executable of `{}`, and they share an image", file.to, other.name);
                report.wrong(Code::OneImage, &[Step::Key("files")], message);
            }
            if let Some((other, before)) = files.insert(&file.to, (&service.name, file))
                && !is_same(before, file)
            {
                let message =
                    format!("`{other}` and `{}` share an image, but have different files at `{}`", service.name, file.to);
                report.wrong(Code::OneImage, &[Step::Key("files")], message);
            }
        }
    }
    if let Some((file, inner)) = paths::in_a_file(&owners.keys().copied().collect(), files.keys().map(|path| path.as_str()))
        && let Some(owner) = owners.get(inner).map(|service| &service.name).or_else(|| Some(files.get(&inner.to_owned())?.0))
        && let Some(source) = manifests::of(sources, owner.as_str())
    {
        let message = format!("`{file}` of `{}` is a file, so the image cannot contain `{inner}`", owners[file].name);
        source.report(problems).wrong(Code::OneImage, &[Step::Key("files")], message);
    }
}

/// Whether two files are equal in an image. An unreadable file is reported later, when it is packed.
fn is_same(one: &AppFile, other: &AppFile) -> bool {
    if (one.mode, one.owner) != (other.mode, other.owner) {
        return false;
    }
    let (FileContent::From(first), FileContent::From(second)) = (&one.content, &other.content) else {
        return one.content == other.content;
    };
    let size = |path: &PathBuf| std::fs::metadata(path).map(|metadata| metadata.len()).ok();
    let bytes = |path: &PathBuf| std::fs::read(path).ok();
    first == second || (size(first) == size(second) && bytes(first) == bytes(second))
}
