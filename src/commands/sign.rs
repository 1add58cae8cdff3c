//! `cargo appbundle sign`: signs a bundle that is there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::signer::SignerOptions;
use crate::bundle;
use crate::digest::Digest;
use crate::shell::Shell;
use crate::trust::{self, AppRelease, BundleSigner, Signable, Subject, Unsigned, VerifyingKey};

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
    let beside = trust::envelope_path(file);
    let mut written = Some(beside.clone());
    match &artifact {
        Some(artifact) if !options.envelope => {
            // Elsewhere, only one signature was made; the bundle that an older envelope is about is no more.
            let has_one = matches!(*signer, BundleSigner::Elsewhere(..));
            let (pending, sum) = artifact.signed(&signer, !has_one).with_context(failed)?;
            let envelope = match sum {
                None => None,
                Some(sum) => {
                    Some(trust::sealed(&trust::envelope_of(file, sum, &artifact.release())?, &signer).with_context(failed)?)
                }
            };
            pending.commit()?;
            match envelope {
                Some(text) => crate::fs::write(&beside, text.as_bytes())?,
                None => {
                    crate::fs::remove(&beside)?;
                    written = None;
                }
            }
        }
        artifact => {
            let text = trust::sealed(&unsigned(file, artifact.as_ref())?, &signer).with_context(failed)?;
            crate::fs::write(&beside, text.as_bytes())?;
        }
    }
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
    let release = match artifact {
        Some(artifact) => artifact.release(),
        None => {
            let identity = bundle::identity(file)?;
            let subjects = identity.images.into_iter().map(|(name, digest)| Subject::new(name, digest)).collect();
            AppRelease { name: identity.name.unwrap_or_default(), version: identity.version.unwrap_or_default(), subjects }
        }
    };
    trust::envelope_of(file, trust::sum(file)?, &release)
}

fn elsewhere(signature: &Path, key: Option<&Path>) -> Result<BundleSigner> {
    let key = key.context("`--signature` needs the public key, `--key PUBLIC`")?;
    Ok(BundleSigner::Elsewhere(VerifyingKey::read(key)?, fs_err::read(signature)?))
}
