//! The executables of images, where they were looked into.

use std::collections::BTreeMap;

use super::executables::FoundExecutable;
use super::images::FoundImages;
use super::members::{ImageMembers, MemberContent};

/// An executable in an image.
#[derive(Clone, Debug)]
pub struct ExecutableReport {
    /// The position of the image in `images`.
    pub image: usize,
    /// Its path there, from the root.
    pub path: String,
    /// What it is.
    pub found: FoundExecutable,
}

/// Those of each image; a file of a higher layer replaces that of a lower one.
pub fn of_images(images: &FoundImages, members: &ImageMembers) -> Vec<ExecutableReport> {
    let mut all = Vec::new();
    for (at, image) in images.list.iter().enumerate() {
        let mut own: BTreeMap<&str, &FoundExecutable> = BTreeMap::new();
        for layer in &image.layers {
            if let Some(MemberContent::Layer(layer)) = members.get(&layer.path).map(|member| &member.content) {
                own.extend(layer.executables.iter().map(|(path, found)| (path.as_str(), found)));
            }
        }
        let report = |(path, found): (&str, &FoundExecutable)| ExecutableReport {
            image: at,
            path: format!("/{path}"),
            found: found.clone(),
        };
        all.extend(own.into_iter().map(report));
    }
    all
}
