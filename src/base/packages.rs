//! `base = { debian = "…" }`: packages of a distribution as one layer.

use std::path::Path;

use anyhow::Result;

use super::packed::{cached_facts, keep_facts, pack};
use crate::app::{Base, BaseChoice, Facts};
use crate::debian::{self, DebianPin, Recipe};
use crate::diagnostic::Note;
use crate::oci::{History, RunConfig};
use crate::segment::{Key, Packer, Segment};

/// Changes whenever the same packages would give another tree.
const FORMAT: &str = "packages-1";

/// The base of a pin if it was packed before.
pub fn packed(recipe: &Recipe, pin: &DebianPin, packer: &Packer, epoch: u64) -> Option<Base> {
    let segment = packer.cache().get(key(recipe, pin, packer, epoch))?;
    let facts = cached_facts(packer, &segment)?;
    Some(base(recipe, segment, facts))
}

/// Makes the tree of a pin and packs it; gives notes for the user too. `blobs` has the packages.
///
/// # Errors
/// When a package is damaged, or its script cannot be replaced.
pub fn read(recipe: &Recipe, pin: &DebianPin, blobs: &Path, packer: &Packer, epoch: u64) -> Result<(Base, Vec<Note>)> {
    let made = debian::assemble(pin, recipe, blobs, epoch, packer.threads())?;
    let (segment, facts) = pack(made.tree.tar()?, |_| key(recipe, pin, packer, epoch), packer)?;
    keep_facts(packer, &segment, &facts)?;
    Ok((base(recipe, segment, facts), made.notes))
}

fn key(recipe: &Recipe, pin: &DebianPin, packer: &Packer, epoch: u64) -> Key {
    let mut parts = vec![FORMAT.to_owned(), env!("CARGO_PKG_VERSION").into(), packer.level().name().into(), epoch.to_string()];
    parts.push(format!("{:?} {:?} {:?} {:?}", recipe.slim, recipe.exclude, recipe.skipped_scripts, pin.architecture));
    parts.extend(pin.packages.iter().map(|package| package.digest.hex()));
    Key::of(parts.iter().map(String::as_bytes))
}

fn base(recipe: &Recipe, segment: Segment, facts: Facts) -> Base {
    Base {
        choice: BaseChoice::Debian(Box::new(recipe.clone())),
        layers: vec![segment],
        config: RunConfig::default(),
        history: vec![History { created_by: Some(format!("cargo-appbundle: base {recipe}")), ..History::default() }],
        facts,
        reference: None,
        written: None,
    }
}
