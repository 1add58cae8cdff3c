//! Writes the texts of licences before images are packed that contain them.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::diagnostic::{Code, Note};
use crate::digest::Digest;
use crate::fs::{self, Stamp};
use crate::plan::Plan;
use crate::trust::{ServiceCrates, UsedCrate, license_files, license_texts};

/// What a file was made of, and what it lacks.
#[derive(Serialize, Deserialize)]
struct Collected {
    from: Digest,
    file: Stamp,
    without: Vec<String>,
}

/// Writes a file for each image, unless the plan has none. What was collected before is not collected again.
///
/// # Errors
/// When the crates are not known, or a file cannot be read or written.
pub fn write(plan: &Plan, crates: &Result<Vec<ServiceCrates>>) -> Result<Vec<Note>> {
    if !plan.licenses {
        return Ok(Vec::new());
    }
    let crates = match crates {
        Ok(crates) => crates,
        Err(error) => return Err(anyhow::anyhow!("{error:#}")).context("failed to collect the texts of licences"),
    };
    let mut notes = Vec::new();
    for image in plan.own_images() {
        let is_in_it = |of: &&ServiceCrates| image.services.iter().any(|service| service.name.as_str() == of.service);
        let services: Vec<&ServiceCrates> = crates.iter().filter(is_in_it).collect();
        let unknown = services.iter().filter(|of| !of.complete).map(|of| {
            let text = "it is not known of which crates {services} is made, so that no texts of their licences are in its image";
            Code::LicenseText.note_of(&of.service, text)
        });
        notes.extend(unknown);
        let used: Vec<&UsedCrate> = services.iter().flat_map(|of| &of.crates).collect();
        let without = collected(plan, image.name, &used)?;
        if !without.is_empty() {
            let text = format!("the image of {{services}} has no text of the licences of {}", without.join(", "));
            notes.push(Code::LicenseText.note_of(image.name, text));
        }
    }
    Ok(notes)
}

/// Writes the file of one image; returns what it lacks.
fn collected(plan: &Plan, image: &str, crates: &[&UsedCrate]) -> Result<Vec<String>> {
    let path = plan.license_file(image);
    let made = path.with_extension("json");
    let stamped = |path: PathBuf| (Stamp::read(&path).ok(), path);
    let files: Vec<(Option<Stamp>, PathBuf)> = crates.iter().flat_map(|used| license_files(used)).map(stamped).collect();
    let from = Digest::of(&serde_json::to_vec(&(env!("CARGO_PKG_VERSION"), crates, files))?);
    let before = std::fs::read(&made).ok().and_then(|bytes| serde_json::from_slice::<Collected>(&bytes).ok());
    let is_same = |before: &Collected| before.from == from && Stamp::read(&path).is_ok_and(|now| now == before.file);
    if let Some(before) = before.filter(is_same) {
        return Ok(before.without);
    }
    let texts = license_texts(image, crates)?;
    fs::write_if_changed(&path, texts.text.as_bytes())?;
    let collected = Collected { from, file: Stamp::read(&path)?, without: texts.without };
    fs::write(&made, &serde_json::to_vec(&collected)?)?;
    Ok(collected.without)
}
