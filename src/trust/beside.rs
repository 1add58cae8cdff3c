//! What is said of a bundle in the files beside it.

use std::path::Path;

use anyhow::Result;

use super::envelope::Unsigned;
use super::provenance_file::provenance_path;
use super::sign::{AppRelease, envelope_of, envelope_path, sealed};
use super::signer::BundleSigner;
use super::statement::Statement;
use crate::digest::Digest;

/// The files beside a bundle, as far as there are any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// Signed statements: the content of the file at [`envelope_path`].
    pub envelopes: Option<String>,
    /// Provenance that nobody signed: the content of the file at [`provenance_path`].
    pub provenance: Option<String>,
}

impl Beside {
    /// That the signer made this release, and of what. `sum` is that of the bundle.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn signed(
        bundle: &Path,
        sum: Digest,
        release: &AppRelease,
        provenance: Option<&Statement>,
        signer: &BundleSigner,
    ) -> Result<Self> {
        let mut text = sealed(&envelope_of(bundle, sum, release)?, signer)?;
        if let Some(statement) = provenance {
            text += &sealed(&Unsigned::new(statement)?, signer)?;
        }
        Ok(Self { envelopes: Some(text), provenance: None })
    }

    /// Of what the bundle was made, without a signature.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn unsigned(provenance: Option<&Statement>) -> Result<Self> {
        Ok(Self { envelopes: None, provenance: provenance.map(Statement::text).transpose()? })
    }

    /// Writes the files, and removes those of an earlier bundle.
    ///
    /// # Errors
    /// When that is not possible.
    pub fn write(&self, bundle: &Path) -> Result<()> {
        for (path, text) in [(envelope_path(bundle), &self.envelopes), (provenance_path(bundle), &self.provenance)] {
            match text {
                Some(text) => crate::fs::write(&path, text.as_bytes())?,
                None => crate::fs::remove(&path)?,
            }
        }
        Ok(())
    }
}
