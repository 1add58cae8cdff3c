//! Pins of Debian packages.

use super::Lockfile;
use crate::debian::{DebianPin, Recipe};

impl Lockfile {
    /// The packages of a base for an architecture, if they are pinned.
    pub fn debian(&self, recipe: &Recipe, architecture: &str) -> Option<&DebianPin> {
        self.table.debian.iter().find(|pin| pin.is_of(recipe, architecture))
    }

    /// All pins of packages.
    pub fn debian_pins(&self) -> &[DebianPin] {
        &self.table.debian
    }

    /// Keeps those pins of packages of which `keep` says so.
    pub fn retain_debian(&mut self, keep: impl FnMut(&DebianPin) -> bool) {
        self.table.debian.retain(keep);
    }

    /// Pins the packages of a base.
    pub fn set_debian(&mut self, pin: DebianPin) {
        self.table.debian.retain(|other| !other.is_same_base(&pin));
        self.table.debian.push(pin);
        self.table.debian.sort_by(|a, b| a.order().cmp(&b.order()));
    }
}
