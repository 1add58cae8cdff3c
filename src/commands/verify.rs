//! `cargo appbundle verify`: reports all faults of a bundle, made by this or another tool.

use std::path::PathBuf;

use anyhow::{Result, bail};
use serde::Serialize;

use crate::bundle::survey::{Format, Limits, Survey, printable, survey};
use crate::diagnostic::Code;
use crate::shell::{self, Shell, count};

/// Options of `verify`.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// The bundle.
    pub file: PathBuf,
    /// Print the result as JSON.
    pub json: bool,
    /// Limit for the total unpacked size, in bytes.
    pub limit: u64,
}

impl VerifyOptions {
    /// Creates options with the default limit.
    pub fn new(file: impl Into<PathBuf>, json: bool) -> Self {
        Self { file: file.into(), json, limit: Limits::default().unpacked }
    }
}

/// The output of `--json`. Keys are only added, never changed or removed.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Verdict<'a> {
    /// The path as given on the command line.
    file: &'a str,
    /// Whether there are no faults.
    good: bool,
    format: Format,
    images: usize,
    layers: usize,
    faults: &'a [String],
    warnings: &'a [String],
    notes: &'a [String],
}

/// Reports every fault; prints one line on stdout if there are none.
///
/// # Errors
/// When the file has faults, cannot be read, or is not a bundle.
pub fn run(options: &VerifyOptions, shell: &Shell) -> Result<()> {
    let limits = Limits { unpacked: options.limit, largest: 0, executables: false };
    let survey = look(&options.file, limits, "Verifying", shell)?;
    let shown = options.file.display().to_string();
    let faults = &survey.faults;
    if !options.json {
        for note in &survey.notes {
            shell.note(printable(note));
        }
        for warning in &survey.warnings {
            shell.warning(printable(warning));
        }
        for fault in faults {
            shell.error(&anyhow::anyhow!("{}", printable(fault)));
        }
    }
    let verdict = Verdict {
        file: &shown,
        good: faults.is_empty(),
        format: survey.format,
        images: survey.images.len(),
        layers: survey.layers.len(),
        faults,
        warnings: &survey.warnings,
        notes: &survey.notes,
    };
    if verdict.good || options.json || shell.is_json() {
        let text = format_args!("verified {shown}: {}", printable(&summary(&survey))).to_string();
        shell.answer(options.json, "appbundle-verdict", verdict, text)?;
    }
    match faults.len() {
        0 => Ok(()),
        1 => bail!(Code::BundleDamaged.error(format!("`{shown}` has a fault"))),
        count => bail!(Code::BundleDamaged.error(format!("`{shown}` has {count} faults"))),
    }
}

/// Surveys the bundle with a progress bar.
pub(super) fn look(file: &std::path::Path, limits: Limits, verb: &str, shell: &Shell) -> Result<Survey> {
    let progress = shell.progress(verb, std::fs::metadata(file).map_or(0, |metadata| metadata.len()));
    progress.message(file.display().to_string());
    survey(file, limits, &|bytes| progress.advance(bytes))
}

/// `AuterionOS app com.example.demo 1.2.3, 3 images, 5 layers, 12 MiB`
fn summary(survey: &Survey) -> String {
    let mut text = survey.format.name().to_owned();
    for part in [&survey.name, &survey.version].into_iter().flatten() {
        text.push(' ');
        text.push_str(part);
    }
    let size = shell::bytes(survey.size);
    format!("{text}, {}, {}, {size}", count(survey.images.len(), "image"), count(survey.layers.len(), "layer"))
}
