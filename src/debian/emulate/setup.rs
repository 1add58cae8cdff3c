//! What the steps share.

use super::accounts::Accounts;
use super::alternatives::Alternatives;
use crate::debian::tree::Tree;
use crate::diagnostic::{Code, Note};

/// A tree on its way to being set up.
pub struct Setup<'a> {
    /// The tree.
    pub tree: &'a mut Tree,
    /// The time of what is made.
    pub epoch: u64,
    /// The time of the newest file of all packages.
    pub newest: u64,
    /// Users and groups.
    pub accounts: Accounts,
    /// Links of which several packages may have the target.
    pub alternatives: Alternatives,
    /// What the user should know.
    pub notes: Vec<Note>,
    /// Whether the packages' files count as there already: not yet for a `preinst`.
    pub is_unpacked: bool,
}

impl Setup<'_> {
    /// Adds a note on what is not set up, once.
    pub fn note(&mut self, text: impl Into<String>) {
        let note = Code::DebianSetup.note(text);
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}
