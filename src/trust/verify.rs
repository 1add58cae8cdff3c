//! Verifies signed bundles: the one answer for all commands that ask whether a bundle may be used.

use std::io::{BufReader, Read as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::envelope::{self, LARGEST_ENVELOPES, Refusal};
use super::sign::{envelope_path, is_artifact, sum};
use super::statement::Subject;
use super::verifying_key::VerifyingKey;
use crate::archive::{Budget, MOST_UNPACKED};
use crate::diagnostic::Code;
use crate::digest::Digest;
use crate::mender::{self, Beginning};

/// A public key, and what the user calls it.
pub type NamedKey = (String, VerifyingKey);

/// What a good signature is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coverage {
    /// Every byte of the bundle.
    File,
    /// What the bundle contains. Of headers of tars and frames of gzip, some bytes may have been changed.
    Contents,
}

/// A bundle whose signatures are good.
#[derive(Clone, Debug)]
pub struct VerifiedBundle {
    /// The key, as its fingerprint.
    pub key: Digest,
    /// What the user calls the key.
    pub key_name: String,
    /// What the signature is of.
    pub coverage: Coverage,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// Verifies a bundle with public keys, tried in order: all its signatures, and all sums that they are of. An artifact needs its own
/// signature, and an archive of images an envelope beside it; an envelope that is there has to be good.
///
/// # Errors
/// When the bundle is not signed ([`Code::SignatureMissing`]), or was changed or signed with other keys ([`Code::SignatureInvalid`]);
/// when it cannot be read.
pub fn verify(path: &Path, keys: &[NamedKey]) -> Result<VerifiedBundle> {
    let tried = Tried { path, keys };
    let beside = envelope_path(path);
    let envelope = if beside.exists() { Some(tried.envelope(&beside)?) } else { None };
    if is_artifact(path)? {
        return tried.artifact(envelope.is_some());
    }
    match envelope {
        Some(at) => tried.verified(at, Coverage::File, Vec::new()),
        None => Err(unsigned(path)),
    }
}

/// The error for a bundle without a signature.
pub fn unsigned(path: &Path) -> anyhow::Error {
    let shown = path.display();
    let help = format!("help: sign it with `cargo appbundle sign {shown} --key KEY`");
    match is_artifact(path) {
        Ok(false) => {
            let beside = envelope_path(path);
            Code::SignatureMissing.error(format!("`{shown}` is not signed: there is no `{}`\n{help}", beside.display())).into()
        }
        _ => Code::SignatureMissing.error(format!("`{shown}` is not signed\n{help}")).into(),
    }
}

/// Whether a bundle has a signature, good or not.
///
/// # Errors
/// When it cannot be read.
pub fn is_signed(path: &Path) -> Result<bool> {
    if is_artifact(path)? {
        let beginning = Beginning::read(fs_err::File::open(path)?);
        return Ok(beginning.is_ok_and(|beginning| beginning.signature.is_some()));
    }
    Ok(envelope_path(path).exists())
}

struct Tried<'a> {
    path: &'a Path,
    keys: &'a [NamedKey],
}

impl Tried<'_> {
    fn verified(&self, at: usize, coverage: Coverage, notes: Vec<String>) -> Result<VerifiedBundle> {
        let (name, key) = self.keys.get(at).context("no key was given")?;
        Ok(VerifiedBundle { key: key.fingerprint(), key_name: name.clone(), coverage, notes })
    }

    /// Verifies all envelopes; gives the key of the first.
    fn envelope(&self, beside: &Path) -> Result<usize> {
        let shown = beside.display();
        let mut text = Vec::new();
        fs_err::File::open(beside)?.take(LARGEST_ENVELOPES).read_to_end(&mut text)?;
        let keys: Vec<VerifyingKey> = self.keys.iter().map(|(_, key)| key.clone()).collect();
        let all = envelope::open(&text, &keys).map_err(|refusal| match refusal {
            Refusal::Damaged(why) => invalid(format!("`{shown}` is damaged: {why}")),
            Refusal::OtherKey => self.other_key(&shown.to_string()),
        })?;
        let own = sum(self.path)?;
        for signed in &all {
            let about = signed.statement.subject.first().and_then(Subject::sha256);
            if about != Some(own) {
                return Err(invalid(format!(
                    "`{shown}` is about a file with another digest than `{}`: one of them was changed or replaced",
                    self.path.display()
                )));
            }
        }
        Ok(all.first().map_or(0, |signed| signed.key))
    }

    fn artifact(&self, has_envelope: bool) -> Result<VerifiedBundle> {
        let shown = self.path.display();
        let damaged = |why: String| invalid(format!("`{shown}` is damaged: {why}"));
        let beginning = Beginning::read(fs_err::File::open(self.path)?).map_err(|error| damaged(format!("{error:#}")))?;
        let Some(text) = &beginning.signature else { return Err(unsigned(self.path)) };
        let signature = mender::decode_signature(text).ok_or_else(|| damaged("its signature is not base64".into()))?;
        let fits = |(_, key): &NamedKey| key.verifies(&beginning.manifest, &signature);
        let at = self.keys.iter().position(fits).ok_or_else(|| self.other_key(&shown.to_string()))?;
        if has_envelope {
            return self.verified(at, Coverage::File, Vec::new());
        }
        let file = BufReader::with_capacity(1 << 18, fs_err::File::open(self.path)?);
        let reading = mender::read(file, &Budget::new(MOST_UNPACKED), &mut |_, _| ());
        if let Some(fault) = reading.faults.into_vec().into_iter().next() {
            return Err(damaged(fault));
        }
        if mender::is_canonical(self.path)? {
            return self.verified(at, Coverage::File, Vec::new());
        }
        if is_ours(&beginning) {
            return Err(damaged("bytes that its signature does not cover are not as cargo-appbundle writes them".into()));
        }
        let note = "another tool wrote it: the signature covers what it contains, but not the headers around that";
        self.verified(at, Coverage::Contents, vec![note.to_owned()])
    }

    fn other_key(&self, what: &str) -> anyhow::Error {
        let keys: String = self.keys.iter().map(|(name, key)| format!("\n  {name}: {}", key.fingerprint())).collect();
        let text = match self.keys.len() {
            1 => format!("the signature of `{what}` is not one of the given key:{keys}"),
            _ => format!("the signature of `{what}` is not one of the given keys:{keys}"),
        };
        invalid(text)
    }
}

fn invalid(text: String) -> anyhow::Error {
    Code::SignatureInvalid.error(text).into()
}

/// Whether the header, which is signed, says that this tool wrote the artifact.
fn is_ours(beginning: &Beginning) -> bool {
    let text = beginning.header.meta_data.as_ref().and_then(|data| data.get("auterion-metadata")?.as_str());
    let data: Option<serde_json::Value> = text.and_then(|text| serde_json::from_str(text).ok());
    data.is_some_and(|data| {
        data.get("cli-version").and_then(|version| version.as_str()).is_some_and(|v| v.starts_with("cargo-appbundle"))
    })
}
