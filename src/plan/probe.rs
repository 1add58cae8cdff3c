//! The program in images that asks a service whether it is healthy.

use std::path::{Path, PathBuf};

use super::Plan;
use crate::app::{AppFile, Health, Probe, Service, Source};
use crate::config::tables::HealthTable;

/// Where it is in an image.
const PLACE: &str = "/usr/local/lib/appbundle/probe";

/// Whether an image can have it: whether it can be compiled for the target with this triple.
pub type CanProbe<'a> = &'a dyn Fn(&str) -> bool;

/// Plans it for a health check that asks at a port, unless the table leaves it out.
pub fn ask_for(health: &mut Health, table: &HealthTable) {
    if !matches!(health.probe, Probe::Command(_)) && table.probe != Some(false) {
        health.client = Some(PLACE.to_owned());
    }
}

/// Adds it to the images of the services that it is planned for, or takes it back if it cannot be compiled.
pub fn give(services: &mut [Service], output: &Path, triple: &str, can_probe: CanProbe<'_>) {
    let planned = |service: &&mut Service| service.container.health.as_ref().is_some_and(|health| health.client.is_some());
    let mut can = None;
    for service in services.iter_mut().filter(planned) {
        let (Some(health), Source::Package(package)) = (&mut service.container.health, &mut service.source) else { continue };
        if *can.get_or_insert_with(|| can_probe(triple)) {
            package.files.push(AppFile::file(PLACE, path(output), true));
            package.files.sort();
        } else {
            health.client = None;
        }
    }
}

/// Where it is kept after it is compiled.
fn path(output: &Path) -> PathBuf {
    output.join("cache/healthprobe")
}

impl Plan {
    /// Where the program has to be before images are packed that contain it; `None` if none of them does.
    pub fn probe(&self) -> Option<&Path> {
        let mut files = self.packages().flat_map(|(_, package)| &package.files);
        files.find(|file| file.to == PLACE).and_then(AppFile::from)
    }
}
