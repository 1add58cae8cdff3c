//! `cargo appbundle inspect`: shows the contents of a bundle, made by this or another tool.

use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;

use super::verify::look;
use crate::bundle::survey::{Limits, Survey, printable, tables};
use crate::shell::Shell;

/// Options of `inspect`.
#[derive(Clone, Debug)]
pub struct InspectOptions {
    /// The bundle.
    pub file: PathBuf,
    /// Print the result as JSON.
    pub json: bool,
    /// Number of largest files to show.
    pub largest: usize,
    /// Limit for the total unpacked size, in bytes.
    pub limit: u64,
}

impl InspectOptions {
    /// Creates options with the default limits.
    pub fn new(file: impl Into<PathBuf>, json: bool) -> Self {
        let Limits { unpacked, largest, .. } = Limits::default();
        Self { file: file.into(), json, largest, limit: unpacked }
    }
}

/// The output of `--json`: the survey and the path of the file.
#[derive(Serialize)]
struct Report<'a> {
    file: &'a str,
    #[serde(flatten)]
    survey: &'a Survey,
}

/// Prints the contents of the bundle to stdout, as text or JSON. Faults are only warnings here; `verify` fails on them.
///
/// # Errors
/// When the file cannot be read or is not a bundle.
pub fn run(options: &InspectOptions, shell: &Shell) -> Result<()> {
    let limits = Limits { unpacked: options.limit, largest: options.largest, executables: false };
    let survey = look(&options.file, limits, "Reading", shell)?;
    let file = options.file.display().to_string();
    let text = tables(&file, &survey, shell.ink());
    shell.answer(options.json, "appbundle-inspection", Report { file: &file, survey: &survey }, text.trim_end())?;
    if options.json {
        return Ok(());
    }
    for note in &survey.notes {
        shell.note(printable(note));
    }
    for fault in survey.warnings.iter().chain(&survey.faults) {
        shell.warning(printable(fault));
    }
    Ok(())
}
