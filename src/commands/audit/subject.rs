//! What is audited.

use crate::trust::audit::Inventory;

/// What is audited, and what about it could not be listed.
pub struct AuditSubject {
    /// What it is called.
    pub file: String,
    /// Who makes it, for documents about it.
    pub author: Option<String>,
    /// What it consists of.
    pub inventory: Inventory,
    /// What could not be listed, in sentences.
    pub incomplete: Vec<String>,
}
