//! `cargo appbundle verify`: everything that is wrong with a bundle, ours or another tool's.

use std::path::PathBuf;

use anyhow::{Result, bail};
use serde::Serialize;

use crate::bundle::survey::{Format, Limits, Survey, survey};
use crate::diagnostic::Code;
use crate::shell::{self, Shell, count};

/// What `verify` is asked.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// The bundle.
    pub file: PathBuf,
    /// Print the result as JSON.
    pub json: bool,
    /// Bytes that all unpacking together may give.
    pub limit: u64,
}

impl VerifyOptions {
    /// The usual limit.
    pub fn new(file: impl Into<PathBuf>, json: bool) -> Self {
        Self { file: file.into(), json, limit: Limits::default().unpacked }
    }
}

/// What is printed with `--json`. Keys are only ever added.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Verdict<'a> {
    /// As it was asked for.
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

/// Tells every fault; a good file gets one line on stdout.
///
/// # Errors
/// When the file has faults, cannot be read, or is no bundle.
pub fn run(options: &VerifyOptions, shell: &Shell) -> Result<()> {
    let limits = Limits { unpacked: options.limit, largest: 0 };
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

/// Surveys with a progress bar.
pub(super) fn look(file: &std::path::Path, limits: Limits, verb: &str, shell: &Shell) -> Result<Survey> {
    let progress = shell.progress(verb, std::fs::metadata(file).map_or(0, |metadata| metadata.len()));
    progress.message(file.display().to_string());
    survey(file, limits, &|bytes| progress.advance(bytes))
}

/// What a file says reaches the terminal without control characters.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
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
