//! `--vex-init`: a VEX document to fill in.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail};

use crate::diagnostic::Code;
use crate::shell::{Shell, count};
use crate::trust::audit::{AuditFinding, AuditReport};
use crate::trust::vex;

/// Refuses to replace a file: somebody may have filled it in.
///
/// # Errors
/// When there is one.
pub fn is_free(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_ok() {
        bail!(Code::VexInvalid.error(format!(
            "`{0}` exists, and is not overwritten\nhelp: use it with `cargo appbundle audit --vex {0}`, or name another file",
            path.display()
        )));
    }
    Ok(())
}

/// Writes a statement for each open vulnerability, all under investigation; prints the path.
///
/// # Errors
/// When the file cannot be written, or exists by now.
pub fn write(path: &Path, report: &AuditReport, author: Option<&str>, epoch: Option<u64>, shell: &Shell) -> Result<()> {
    let open: Vec<&AuditFinding> = report.findings.iter().filter(|finding| finding.is_open()).collect();
    if open.is_empty() {
        shell.note(format_args!("`{}` was not written: there is nothing to say about", path.display()));
        return Ok(());
    }
    let now = epoch.map_or_else(SystemTime::now, |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    let timestamp = humantime::format_rfc3339_seconds(now).to_string();
    let document = vex::skeleton(open.iter().copied(), author.unwrap_or("Unknown Author"), &timestamp);
    let failed = || format!("failed to write `{}`", path.display());
    let mut file = std::fs::File::create_new(path).with_context(failed)?;
    file.write_all(format!("{}\n", serde_json::to_string_pretty(&document)?).as_bytes()).with_context(failed)?;
    shell.status("Wrote", format_args!("{} to {}", count(open.len(), "statement"), path.display()));
    Ok(())
}
