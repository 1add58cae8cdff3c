//! `cargo appbundle verify`: reports all faults of a bundle, made by this or another tool.

mod agreement;
mod difference;
mod rebuild;
mod worktree;

use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use serde::Serialize;

use self::rebuild::{Rebuilt, rebuild};
use crate::bundle;
use crate::bundle::survey::{Format, Limits, Survey, printable, survey};
use crate::diagnostic::Code;
use crate::digest::Digest;
use crate::shell::{self, Shell, count};
use crate::trust::{self, Coverage, FoundProvenance, VerifiedBundle, VerifyingKey};
use crate::workspace::CargoOptions;

/// Options of `verify`.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// The bundle.
    pub file: PathBuf,
    /// Print the result as JSON.
    pub json: bool,
    /// Public keys, one of which must have signed it.
    pub keys: Vec<PathBuf>,
    /// Whether it has to be signed.
    pub require_signature: bool,
    /// Whether to build it again and compare, and how Cargo is then called.
    pub rebuild: Option<CargoOptions>,
    /// Limit for the total unpacked size, in bytes.
    pub limit: u64,
}

impl VerifyOptions {
    /// Creates options with the default limit.
    pub fn new(file: impl Into<PathBuf>, json: bool) -> Self {
        Self {
            file: file.into(),
            json,
            keys: Vec::new(),
            require_signature: false,
            rebuild: None,
            limit: Limits::default().unpacked,
        }
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
    /// The signature, if keys were given and one of them made it.
    signature: Option<VerdictSignature>,
    /// Of what it was built, if a statement beside it says so.
    provenance: Option<VerdictProvenance<'a>>,
    /// What came of building it again, if that was asked for.
    rebuilt: Option<&'a Rebuilt>,
    images: usize,
    layers: usize,
    faults: &'a [String],
    warnings: &'a [String],
    notes: &'a [String],
}

/// A good signature.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct VerdictSignature {
    /// The SHA-256 sum of the public key in DER.
    key: Digest,
    covers: Coverage,
}

/// What provenance says.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct VerdictProvenance<'a> {
    commit: &'a str,
    /// Whether there were no changes since.
    clean: bool,
    /// Whether somebody signed it. With keys, that is good.
    signed: bool,
}

/// Reports every fault; prints one line on stdout if there are none.
///
/// # Errors
/// When the file has faults, cannot be read, or is not a bundle.
pub fn run(options: &VerifyOptions, shell: &Shell) -> Result<()> {
    let limits = Limits { unpacked: options.limit, largest: 1, executables: true };
    let signature = signature(options)?;
    let found = trust::provenance_of(&options.file)?;
    let (survey, document) = std::thread::scope(|scope| {
        let document = scope.spawn(|| bundle::sbom_of(&options.file, &|_| ()));
        let survey = look(&options.file, limits, "Verifying", shell);
        (survey, document.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let mut survey = survey?;
    // What a damaged bundle contains is not known.
    if survey.faults.is_empty() {
        survey.faults.extend(match document {
            Ok(Some(document)) => agreement::faults(&document, &survey),
            Ok(None) => Vec::new(),
            Err(error) => vec![format!("{error:#}")],
        });
    }
    match &signature {
        Some(verified) => survey.notes.extend(verified.notes.iter().cloned()),
        None if trust::is_signed(&options.file)? => {
            survey.notes.push("it is signed, but no key was given to check the signature; `--key PUBLIC` checks it".into());
        }
        None => {}
    }
    let shown = options.file.display().to_string();
    let provenance = match &found {
        Some(found) => Some(of_provenance(found)?),
        None => None,
    };
    if let Some(found) = found.as_ref().filter(|found| signature.is_some() && !found.signed) {
        survey.notes.push(format!("its provenance, `{}`, is not signed", found.path.display()));
    }
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
    // A bundle with faults is not what any build makes.
    let rebuilt = match &options.rebuild {
        Some(cargo) if faults.is_empty() => Some(rebuild(&options.file, found.as_ref(), cargo, shell)?),
        _ => None,
    };
    let difference = rebuilt.as_ref().and_then(|rebuilt| rebuilt.difference.as_ref());
    let verdict = Verdict {
        file: &shown,
        good: faults.is_empty() && difference.is_none(),
        format: survey.format,
        signature: signature.as_ref().map(|verified| VerdictSignature { key: verified.key, covers: verified.coverage }),
        provenance,
        rebuilt: rebuilt.as_ref(),
        images: survey.images.len(),
        layers: survey.layers.len(),
        faults,
        warnings: &survey.warnings,
        notes: &survey.notes,
    };
    if verdict.good || options.json || shell.is_json() {
        let signed =
            signature.map(|verified| format!(", signed with {} ({})", verified.key_name, verified.key)).unwrap_or_default();
        let same = rebuilt.as_ref().map(|rebuilt| format!(", the same bytes as commit {} builds", rebuilt.commit));
        let text = format!("verified {shown}: {}{signed}{}", printable(&summary(&survey)), same.unwrap_or_default());
        shell.answer(options.json, "appbundle-verdict", verdict, text)?;
    }
    if let (Some(difference), Some(rebuilt)) = (difference, &rebuilt) {
        let commit = &rebuilt.commit;
        bail!(Code::RebuildDiffers.error(format!("`{shown}` is not what its commit `{commit}` builds: {difference}")));
    }
    match faults.len() {
        0 => Ok(()),
        1 => bail!(Code::BundleDamaged.error(format!("`{shown}` has a fault"))),
        count => bail!(Code::BundleDamaged.error(format!("`{shown}` has {count} faults"))),
    }
}

fn of_provenance(found: &FoundProvenance) -> Result<VerdictProvenance<'_>> {
    let source = found.source()?;
    Ok(VerdictProvenance { commit: source.commit, clean: source.state.clean, signed: found.signed })
}

/// Verifies the signature with the keys, if there are any.
fn signature(options: &VerifyOptions) -> Result<Option<VerifiedBundle>> {
    let file = &options.file;
    if options.keys.is_empty() {
        ensure!(!options.require_signature || trust::is_signed(file)?, trust::unsigned(file));
        return Ok(None);
    }
    let named = |path: &PathBuf| Ok((path.display().to_string(), VerifyingKey::read(path)?));
    let keys = options.keys.iter().map(named).collect::<Result<Vec<_>>>()?;
    trust::verify(file, &keys).map(Some)
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
