//! The provenance beside a bundle.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use super::envelope::{LARGEST_ENVELOPES, Refusal, unverified};
use super::provenance::{BuiltFrom, Provenance};
use super::sign::{envelope_path, sum, with_ending};
use super::statement::{Statement, Subject};
use crate::diagnostic::Code;
use crate::digest::Digest;

/// Provenance that is beside a bundle, and about it.
#[derive(Clone, Debug)]
pub struct FoundProvenance {
    /// The file.
    pub path: PathBuf,
    /// What is said.
    pub provenance: Provenance,
    /// The files of which it is said.
    pub subject: Vec<Subject>,
    /// Whether somebody signed it; whether that is good was not looked at.
    pub signed: bool,
}

impl FoundProvenance {
    /// What the bundle was built of.
    ///
    /// # Errors
    /// When it does not say so in a form that Git and file systems take.
    pub fn source(&self) -> Result<BuiltFrom<'_>> {
        self.provenance.source().map_err(|why| unusable(&self.path, &why))
    }

    /// The same of the bundle after it was signed: it has this sum.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn of_signed(&self, sum: Digest) -> serde_json::Result<Statement> {
        let (own, images) = (self.subject.first(), self.subject.iter().skip(1).cloned());
        let own = own.map(|own| Subject::new(own.name.clone(), sum));
        self.provenance.statement(own.into_iter().chain(images).collect())
    }
}

/// Where provenance that nobody signed is: beside its bundle.
pub fn provenance_path(bundle: &Path) -> PathBuf {
    with_ending(bundle, ".provenance.json")
}

/// Reads the provenance of a bundle: from its envelopes, or else from the file without a signature. `None` if there is none.
///
/// # Errors
/// When it is damaged, of something that this tool did not build, or about another bundle: [`Code::ProvenanceUnusable`].
pub fn provenance_of(bundle: &Path) -> Result<Option<FoundProvenance>> {
    let envelopes = envelope_path(bundle);
    if envelopes.exists() {
        let statements = unverified(&read(&envelopes)?).map_err(|refusal| match refusal {
            Refusal::Damaged(why) => unusable(&envelopes, &why),
            Refusal::OtherKey => unusable(&envelopes, "it is signed with another key"),
        })?;
        for statement in statements {
            if let Some(found) = found(&envelopes, statement, true)? {
                return about(bundle, found).map(Some);
            }
        }
    }
    let plain = provenance_path(bundle);
    if !plain.exists() {
        return Ok(None);
    }
    let statement = Statement::parse(&read(&plain)?).map_err(|why| unusable(&plain, &why))?;
    match found(&plain, statement, false)? {
        Some(found) => about(bundle, found).map(Some),
        None => Err(unusable(&plain, "it is a statement about something else than provenance")),
    }
}

fn found(path: &Path, statement: Statement, signed: bool) -> Result<Option<FoundProvenance>> {
    let Some(provenance) = Provenance::of(&statement) else { return Ok(None) };
    let provenance = provenance.map_err(|why| unusable(path, &why))?;
    Ok(Some(FoundProvenance { path: path.to_owned(), provenance, subject: statement.subject, signed }))
}

fn about(bundle: &Path, found: FoundProvenance) -> Result<FoundProvenance> {
    let about = found.subject.first().and_then(Subject::sha256);
    ensure!(
        about == Some(sum(bundle)?),
        unusable(
            &found.path,
            &format!("it is about a file with another digest than `{}`: one of them was changed or replaced", bundle.display())
        )
    );
    Ok(found)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs_err::File::open(path)?.take(LARGEST_ENVELOPES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unusable(path: &Path, why: &str) -> anyhow::Error {
    Code::ProvenanceUnusable.error(format!("the provenance in `{}` cannot be used: {why}", path.display())).into()
}
