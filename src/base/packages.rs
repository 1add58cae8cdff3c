//! `base = { debian = "…" }`: packages of a distribution as one layer.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::packed::{cached_facts, keep_facts, pack};
use crate::app::{Base, BaseChoice, Facts};
use crate::debian::{self, DebianPin, Recipe};
use crate::diagnostic::{Code, Note};
use crate::oci::{History, RunConfig};
use crate::segment::{Key, Packer, Segment};

/// Changes whenever the same packages would give another tree.
const FORMAT: &str = "packages-2";

/// The base of a pin if it was packed before, and the notes that were given then.
pub fn packed(recipe: &Recipe, pin: &DebianPin, packer: &Packer, epoch: u64) -> Option<(Base, Vec<Note>)> {
    let key = key(recipe, pin, packer, epoch);
    let segment = packer.cache().get(key)?;
    let facts = cached_facts(packer, &segment)?;
    let notes: Vec<(String, String)> = serde_json::from_slice(&std::fs::read(notes_path(packer, key)).ok()?).ok()?;
    let notes = notes.into_iter().filter_map(|(code, text)| Some(Code::named(&code)?.note(text)));
    Some((base(recipe, segment, facts), notes.collect()))
}

/// Makes the tree of a pin and packs it; gives notes for the user too. `blobs` has the packages.
///
/// # Errors
/// When a package is damaged, or its script cannot be replaced.
pub fn read(recipe: &Recipe, pin: &DebianPin, blobs: &Path, packer: &Packer, epoch: u64) -> Result<(Base, Vec<Note>)> {
    let made = debian::assemble(pin, recipe, blobs, epoch, packer.threads())?;
    let (segment, facts) = pack(made.tree.tar()?, |_| key(recipe, pin, packer, epoch), packer)?;
    keep_facts(packer, &segment, &facts)?;
    let notes: Vec<(&str, String)> = made.notes.iter().map(|note| (note.code.name(), note.to_string())).collect();
    crate::fs::write(&notes_path(packer, key(recipe, pin, packer, epoch)), &serde_json::to_vec(&notes)?)?;
    Ok((base(recipe, segment, facts), made.notes))
}

/// The notes that were given when the layer of a key was made.
fn notes_path(packer: &Packer, key: Key) -> PathBuf {
    packer.cache().folder().join(format!("{key}.notes"))
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
