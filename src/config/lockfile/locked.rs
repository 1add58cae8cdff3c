//! `--locked`

use anyhow::{Result, bail};

use super::Lockfile;
use crate::diagnostic::Code;

/// Fails because `--locked` forbids a change; the message follows Cargo's.
///
/// # Errors
/// Always.
pub fn refuse_change(lockfile: &Lockfile) -> Result<()> {
    bail!(Code::LockFileLocked.error(format!(
        "cannot update the lock file {} because --locked was passed to prevent this\nhelp: to update it, remove the --locked flag and build again",
        lockfile.path().display()
    )))
}
