//! Signs bundles: `manifest.sig` in an artifact, and an envelope beside any bundle.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};

use super::envelope::Unsigned;
use super::signer::BundleSigner;
use super::statement::{Statement, Subject};
use crate::digest::Digest;
use crate::fs::Pending;
use crate::mender::{self, Beginning};

/// An app's version, and the images in its bundle.
#[derive(Clone, Debug, Default)]
pub struct AppRelease {
    /// The app's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What the envelope is about besides the bundle.
    pub subjects: Vec<Subject>,
}

/// An artifact as far as signing needs it.
pub struct Signable {
    path: PathBuf,
    beginning: Beginning,
}

/// Where the envelopes of a bundle are: beside it.
pub fn envelope_path(bundle: &Path) -> PathBuf {
    with_ending(bundle, ".intoto.jsonl")
}

/// A file beside a bundle: its name is the bundle's with an ending.
pub fn with_ending(bundle: &Path, ending: &str) -> PathBuf {
    let mut name = bundle.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    bundle.with_file_name(name)
}

/// Whether a file is an artifact, which contains its signature.
///
/// # Errors
/// When it cannot be read.
pub fn is_artifact(path: &Path) -> Result<bool> {
    let mut head = Vec::new();
    fs_err::File::open(path)?.take(mender::HEAD).read_to_end(&mut head)?;
    Ok(mender::is_artifact(&head))
}

impl Signable {
    /// Reads an artifact up to its payload.
    ///
    /// # Errors
    /// When it is damaged there.
    pub fn read(path: &Path) -> Result<Self> {
        let failed = || format!("failed to read `{0}`\nhelp: run `cargo appbundle verify {0}`", path.display());
        // A link stays one: what it leads to is signed.
        let path = fs_err::canonicalize(path)?;
        let beginning = Beginning::read(fs_err::File::open(&path)?).map_err(|error| anyhow!("{error:#}")).with_context(failed)?;
        Ok(Self { path, beginning })
    }

    /// What `manifest.sig` is the signature of.
    pub fn message(&self) -> &[u8] {
        &self.beginning.manifest
    }

    /// What the header and the manifest say. Images are those of the payload's archive, which the manifest has as one file.
    pub fn release(&self) -> AppRelease {
        let name = self.beginning.header.name.clone().unwrap_or_default();
        let (name, version) = name.rsplit_once(':').unwrap_or((&name, ""));
        let images = self.beginning.sums.iter().filter(|(name, _)| name.ends_with(".image"));
        let subjects = images.map(|(name, digest)| Subject::new(name, *digest)).collect();
        AppRelease { name: name.to_owned(), version: version.to_owned(), subjects }
    }

    /// The artifact with a new signature, not in its place yet; and its sum, if it is wanted.
    ///
    /// # Errors
    /// When it cannot be signed or written. The artifact is then as it was.
    pub fn signed(&self, signer: &BundleSigner, wants_sum: bool) -> Result<(Pending, Option<Digest>)> {
        let shown = self.path.display();
        let content = mender::encode_signature(&signer.sign(self.message())?);
        let member = self.beginning.signature_member(&content)?;
        let open = || File::open(&self.path).with_context(|| format!("failed to read `{shown}`"));
        let (file, before, after) = (open()?, open()?, open()?);
        let mut pending = Pending::new(&self.path)?;
        let permissions = file.metadata()?.permissions();
        pending.file().set_permissions(permissions).with_context(|| format!("failed to write `{shown}`"))?;
        // The sum is computed while the system copies.
        let sum = std::thread::scope(|scope| {
            let sum = wants_sum.then(|| {
                scope.spawn(|| {
                    let signed = self.beginning.with_member(&member, before, after)?;
                    anyhow::Ok(Digest::of_reader(BufReader::with_capacity(1 << 18, signed))?.0)
                })
            });
            self.beginning.copy_with_member(&member, &file, pending.file())?;
            sum.map(|sum| sum.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).transpose()
        })
        .with_context(|| format!("failed to write `{shown}`"))?;
        Ok((pending, sum))
    }
}

/// What the envelope of a bundle is the signature of; `sum` is that of the bundle.
///
/// # Errors
/// When the bundle's name is not UTF-8.
pub fn envelope_of(bundle: &Path, sum: Digest, release: &AppRelease) -> Result<Unsigned> {
    let name = if release.name.is_empty() { file_name(bundle)? } else { &release.name };
    Ok(Unsigned::new(&Statement::release(name, &release.version, subjects(bundle, sum, release)?))?)
}

/// What statements about a bundle are about: itself, and the images in it.
///
/// # Errors
/// When its name is not UTF-8.
pub fn subjects(bundle: &Path, sum: Digest, release: &AppRelease) -> Result<Vec<Subject>> {
    let own = Subject::new(file_name(bundle)?, sum);
    Ok(std::iter::once(own).chain(release.subjects.iter().cloned()).collect())
}

fn file_name(bundle: &Path) -> Result<&str> {
    let name = bundle.file_name().and_then(|name| name.to_str());
    name.with_context(|| format!("the name of `{}` is not UTF-8", bundle.display()))
}

/// Signs it: the content of the file at [`envelope_path`].
///
/// # Errors
/// When it cannot be signed.
pub fn sealed(unsigned: &Unsigned, signer: &BundleSigner) -> Result<String> {
    Ok(unsigned.seal(signer.public(), &signer.sign(&unsigned.message())?)?)
}

/// The sum of a whole bundle.
///
/// # Errors
/// When it cannot be read.
pub fn sum(path: &Path) -> Result<Digest> {
    let failed = || format!("failed to read `{}`", path.display());
    let file = File::open(path).with_context(failed)?;
    Ok(Digest::of_reader(BufReader::with_capacity(1 << 18, file)).with_context(failed)?.0)
}
