//! The Debian packages that images say they have.

use serde::Serialize;

use super::images::FoundImages;
use super::members::{ImageMembers, MemberContent};
use crate::debian::{InstalledPackage, installed};

/// Packages, and the images that have them.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ImagePackages {
    /// Positions in `images` of those that have all these packages and no others.
    pub images: Vec<usize>,
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
                let list = installed(records.iter().map(|(_, text)| *text));
                found.push((records, ImagePackages { images: vec![at], list }));
            }
        }
    }
    found.into_iter().map(|(_, packages)| packages).filter(|packages| !packages.list.is_empty()).collect()
}
