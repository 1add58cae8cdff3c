//! `layout = "multi-binary"`: checks that all services fit into one image.

use std::collections::BTreeMap;

use super::manifests::{self, ServiceSource};
use super::paths;
use crate::app::{AppFile, Service};
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
            if let Some(other) = owners
                .insert(&file.to, service)
                .filter(|other| other.package().is_some_and(|package| package.binary_path == file.to))
            {
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
    if let Some((file, inner)) = paths::in_a_file(&owners.keys().copied().collect())
        && let Some(source) = manifests::of(sources, owners[inner].name.as_str())
    {
        let message = format!("`{file}` of `{}` is a file, so the image cannot contain `{inner}`", owners[file].name);
        source.report(problems).wrong(Code::OneImage, &[Step::Key("files")], message);
    }
}

/// Whether two files are equal in an image. An unreadable file is reported later, when it is packed.
fn is_same(one: &AppFile, other: &AppFile) -> bool {
    if (&one.link, one.executable) != (&other.link, other.executable) {
        return false;
    }
    let size = |file: &AppFile| std::fs::metadata(&file.from).map(|metadata| metadata.len()).ok();
    let bytes = |file: &AppFile| std::fs::read(&file.from).ok();
    one.link.is_some() || one.from == other.from || (size(one) == size(other) && bytes(one) == bytes(other))
}
