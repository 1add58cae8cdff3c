//! Whether services get along in what they share: the names of images and executables, or one image of all.

use std::collections::BTreeMap;

use super::manifests::ServiceSource;
use super::service::Report;
use crate::app::{BaseChoice, Service};
use crate::config::{Problems, Step};

/// With `layout = "multi-binary"` one image has one name, stands on one base, and holds one file under a path.
pub fn fit_into_one_image(
    sources: &[ServiceSource<'_>],
    services: &BTreeMap<String, (Service, BaseChoice)>,
    problems: &mut Problems,
) {
    let Some((first, first_base)) = services.values().next() else { return };
    let mut files = BTreeMap::new();
    for (service, base) in services.values() {
        let Some(source) = sources.iter().find(|source| source.member.name == service.package) else { continue };
        let mut report = Report { manifest: &source.manifest, path: &source.path, problems };
        if base != first_base {
            let message =
                format!("one image stands on one base: `{}` has {base}, `{}` has {first_base}", service.name, first.name);
            report.wrong(&[Step::Key("base")], message);
        }
        if service.image.canonical() != first.image.canonical() {
            let message = format!(
                "with `layout = \"multi-binary\"` `{}` cannot have the image `{}` of its own",
                service.name, service.image
            );
            report.wrong(&[], message);
        }
        for file in &service.files {
            let same = (&file.from, &file.link, file.executable);
            if let Some((other, before)) = files.insert(&file.to, (&service.name, same))
                && before != same
            {
                let message =
                    format!("`{other}` and `{}` both have a file `{}`, and they share one image", service.name, file.to);
                report.wrong(&[Step::Key("files")], message);
            }
        }
    }
}

pub fn have_own_images(
    sources: &[ServiceSource<'_>],
    services: &BTreeMap<String, (Service, BaseChoice)>,
    problems: &mut Problems,
) {
    let mut images: BTreeMap<String, &str> = BTreeMap::new();
    for (service, _) in services.values() {
        if let Some(other) = images.insert(service.image.canonical(), service.name.as_str())
            && let Some(source) = sources.iter().find(|source| source.member.name == service.package)
        {
            let message = format!("the services `{other}` and `{}` have the same image `{}`", service.name, service.image);
            Report { manifest: &source.manifest, path: &source.path, problems }.wrong(&[], message);
        }
    }
}

/// Cargo puts executables of one name into one file, whichever package they are of.
pub fn have_own_bins(sources: &[ServiceSource<'_>], services: &BTreeMap<String, (Service, BaseChoice)>, problems: &mut Problems) {
    let mut bins: BTreeMap<&str, &str> = BTreeMap::new();
    for (service, _) in services.values() {
        let other = bins.insert(&service.bin, &service.package);
        if let Some(other) = other.filter(|other| *other != service.package)
            && let Some(source) = sources.iter().find(|source| source.member.name == service.package)
        {
            let message =
                format!("the packages `{other}` and `{}` both have a bin `{}`: rename one of them", service.package, service.bin);
            Report { manifest: &source.manifest, path: &source.path, problems }.wrong(&[], message);
        }
    }
}
