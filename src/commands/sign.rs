//! `cargo appbundle sign`: signs a bundle that is there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::signer::SignerOptions;
use crate::bundle;
use crate::digest::Digest;
use crate::shell::Shell;
use crate::trust::{self, AppRelease, Beside, BundleSigner, Signable, Subject, Unsigned, VerifyingKey};

/// Options of `sign`.
#[derive(Clone, Debug)]
pub struct SignOptions {
    /// The bundle.
    pub file: PathBuf,
    /// Who signs.
    pub signer: SignerOptions,
    /// A signature that was made elsewhere.
    pub signature: Option<PathBuf>,
    /// Print what to sign, and sign nothing.
    pub print_digest: bool,
    /// Leave the bundle as it is, and write only the envelope beside it.
    pub envelope: bool,
}

/// What was signed. Keys are only added, never changed or removed.
#[derive(Serialize)]
struct SignedBundle {
    path: String,
    envelope: Option<String>,
    key: Digest,
}

/// Signs the bundle, and prints its path; or prints what somebody else is to sign.
///
/// # Errors
/// When it is not a bundle, or cannot be signed. It is then as it was.
pub fn run(options: &SignOptions, shell: &Shell) -> Result<()> {
    let file = options.file.as_path();
    let artifact = if trust::is_artifact(file)? { Some(Signable::read(file)?) } else { None };
    if options.print_digest {
        let digest = match &artifact {
            Some(artifact) if !options.envelope => Digest::of(artifact.message()),
            artifact => Digest::of(unsigned(file, artifact.as_ref())?.message()),
        };
        let hex = digest.hex();
        shell.result("appbundle-digest", serde_json::json!({ "path": file.display().to_string(), "sha256": hex }), &hex);
        return Ok(());
    }
    let signer = match &options.signature {
        Some(path) => Arc::new(elsewhere(path, options.signer.key.as_deref())?),
        None => options.signer.signer(shell)?,
    };
    let failed = || format!("failed to sign `{}`", file.display());
    // Elsewhere, only one signature was made: what else is said of the bundle is not signed.
    let has_one = matches!(*signer, BundleSigner::Elsewhere(..));
    let provenance = trust::provenance_of(file)?;
    let statement = |sum| provenance.as_ref().map(|found| found.of_signed(sum)).transpose();
    let beside = match &artifact {
        Some(artifact) if !options.envelope => {
            let (pending, sum) = artifact.signed(&signer, !has_one || provenance.is_some()).with_context(failed)?;
            // The bundle that an older envelope is about is no more.
            let beside = match sum {
                None => Beside::default(),
                Some(sum) if has_one => Beside::unsigned(statement(sum)?.as_ref())?,
                Some(sum) => {
                    Beside::signed(file, sum, &artifact.release(), statement(sum)?.as_ref(), &signer).with_context(failed)?
                }
            };
            pending.commit()?;
            beside
        }
        artifact => {
            let (sum, release) = (trust::sum(file)?, release(file, artifact.as_ref())?);
            let of_signer = statement(sum)?.filter(|_| !has_one);
            let signed = Beside::signed(file, sum, &release, of_signer.as_ref(), &signer).with_context(failed)?;
            let plain = statement(sum)?.filter(|_| has_one);
            Beside { provenance: Beside::unsigned(plain.as_ref())?.provenance, ..signed }
        }
    };
    beside.write(file)?;
    let written = beside.envelopes.is_some().then(|| trust::envelope_path(file));
    let key = signer.public().fingerprint();
    shell.status("Signed", format_args!("{} with the key {key}", file.display()));
    shell.result(
        "appbundle-signed",
        SignedBundle { path: file.display().to_string(), envelope: written.map(|path| path.display().to_string()), key },
        file.display(),
    );
    Ok(())
}

/// The envelope's content for the bundle as it is.
fn unsigned(file: &Path, artifact: Option<&Signable>) -> Result<Unsigned> {
    trust::envelope_of(file, trust::sum(file)?, &release(file, artifact)?)
}

fn release(file: &Path, artifact: Option<&Signable>) -> Result<AppRelease> {
    if let Some(artifact) = artifact {
        return Ok(artifact.release());
    }
    let identity = bundle::identity(file)?;
    let subjects = identity.images.into_iter().map(|(name, digest)| Subject::new(name, digest)).collect();
    Ok(AppRelease { name: identity.name.unwrap_or_default(), version: identity.version.unwrap_or_default(), subjects })
}

fn elsewhere(signature: &Path, key: Option<&Path>) -> Result<BundleSigner> {
    let key = key.context("`--signature` needs the public key, `--key PUBLIC`")?;
    Ok(BundleSigner::Elsewhere(VerifyingKey::read(key)?, fs_err::read(signature)?))
}
