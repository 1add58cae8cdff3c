//! What the steps share.

use super::accounts::Accounts;
use super::alternatives::Alternatives;
use crate::debian::tree::Tree;

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
    pub notes: Vec<String>,
    /// Whether the packages' files count as there already: not yet for a `preinst`.
    pub is_unpacked: bool,
}

impl Setup<'_> {
    /// Adds a note, once.
    pub fn note(&mut self, text: String) {
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }
}
