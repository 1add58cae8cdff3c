//! The texts of licences in images.

use std::path::{Path, PathBuf};

use super::Plan;
use crate::app::{AppFile, Service, Source};

/// The folder that images have them in.
const FOLDER: &str = "/usr/share/licenses";

/// Adds the file of its image to a service's package. It is written after the compiler has run.
pub fn give(service: &mut Service, output: &Path) {
    let own = service.name.to_string();
    let Source::Package(package) = &mut service.source else { return };
    let name = package.shared_image.clone().unwrap_or(own);
    package.files.push(AppFile::file(format!("{FOLDER}/{name}.txt"), path(output, &name), false));
    package.files.sort();
}

fn path(output: &Path, image: &str) -> PathBuf {
    output.join("licenses").join(format!("{image}.txt"))
}

impl Plan {
    /// Where the texts for an image, by its name, are kept before it is packed.
    pub fn license_file(&self, image: &str) -> PathBuf {
        path(&self.output, image)
    }
}
