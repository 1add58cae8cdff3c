//! The Debian packages that images say they have.

use serde::Serialize;

use super::images::FoundImages;
use super::members::{ImageMembers, MemberContent};
use crate::debian::{InstalledPackage, OS_RELEASE, edition, has_records, installed};

/// Packages, and the images that have them.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ImagePackages {
    /// Positions in `images` of those that have all these packages and no others.
    pub images: Vec<usize>,
    /// The release of Debian that they are of, such as `12`, if that is known.
    pub release: Option<String>,
    /// The packages, largest first.
    pub list: Vec<InstalledPackage>,
}

/// The packages of each image with records of dpkg; images with the same records stand together.
pub fn of_images(images: &FoundImages, members: &ImageMembers) -> Vec<ImagePackages> {
    let mut found: Vec<(Vec<(&str, &str)>, ImagePackages)> = Vec::new();
    for (at, image) in images.list.iter().enumerate() {
        let mut records = std::collections::BTreeMap::new();
        for layer in &image.layers {
            if let Some(MemberContent::Layer(layer)) = members.get(&layer.path).map(|member| &member.content) {
                // A file of a higher layer replaces that of a lower one.
                records.extend(layer.records.iter().map(|(path, text)| (path.as_str(), text.as_str())));
            }
        }
        let records = Vec::from_iter(records);
        match found.iter_mut().find(|(known, _)| *known == records) {
            Some((_, packages)) => packages.images.push(at),
            None => {
                let text = |path: &str| records.iter().find(|(known, _)| *known == path).map(|(_, text)| *text);
                let os_release = OS_RELEASE.into_iter().find_map(text);
                let list = installed(records.iter().filter(|(path, _)| has_records(path)).map(|(_, text)| *text));
                let release = edition(os_release, &list);
                found.push((records, ImagePackages { images: vec![at], release, list }));
            }
        }
    }
    found.into_iter().map(|(_, packages)| packages).filter(|packages| !packages.list.is_empty()).collect()
}
