//! `base = { rootfs = "…" }`: a tar as it is, or a folder as one layer.

use std::io::{BufReader, Read};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use walkdir::WalkDir;

use super::{cached_facts, is_compressed, keep_facts};
use crate::app::{Base, BaseChoice, Facts};
use crate::archive::{Entry, Kind, decompressed};
use crate::digest::Digest;
use crate::oci::{History, RunConfig};
use crate::segment::{Content, Key, KnownDigests, Layer, Member, Packer, Segment};

pub fn read(path: &Path, epoch: u64, packer: &Packer, known: &KnownDigests) -> Result<Base> {
    let (segment, facts) = if path.is_dir() { folder(path, epoch, packer, known)? } else { tar(path, packer, known)? };
    ensure!(!facts.folders.is_empty(), "`{}` holds no folder: it is no root file system", path.display());
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let history = History { created_by: Some(format!("cargo-appbundle: base rootfs {name}")), ..History::default() };
    Ok(Base {
        choice: BaseChoice::Rootfs(path.to_owned()),
        layers: vec![segment],
        config: RunConfig::default(),
        history: vec![history],
        facts,
        reference: None,
    })
}

/// Bytes of the tar become the layer unchanged. A tar that is not compressed has its own sum as diff_id, so that one that is
/// seen for the first time is read once.
fn tar(path: &Path, packer: &Packer, known: &KnownDigests) -> Result<(Segment, Facts)> {
    let key = |digest: &Digest| Key::of([&b"rootfs"[..], packer.level().name().as_bytes(), digest.hex().as_bytes()]);
    let plain = !is_compressed(path)?;
    let stamped = known.stamp(path)?;
    let digest = if plain { known.recall(path) } else { Some(known.digest(path)?.0) };
    if let Some(segment) = digest.and_then(|digest| packer.cache().get(key(&digest)))
        && let Some(facts) = cached_facts(packer, &segment)
    {
        return Ok((segment, facts));
    }
    let file = BufReader::with_capacity(256 * 1024, fs_err::File::open(path)?);
    let mut tar = decompressed(file)?;
    let failed = || format!("failed to read `{}` as a tar", path.display());
    let key = |diff_id: &Digest| key(&digest.filter(|_| !plain).unwrap_or(*diff_id));
    let (segment, facts) = packer.pack(key, |sink| Facts::read(Through { from: &mut tar, to: sink })).with_context(failed)?;
    if plain {
        known.remember(path, stamped, segment.diff_id);
    }
    keep_facts(packer, &segment, &facts)?;
    Ok((segment, facts))
}

/// Passes what is read on to a writer.
pub(super) struct Through<'a, R, W: std::io::Write> {
    pub from: R,
    pub to: &'a mut W,
}

impl<R: Read, W: std::io::Write> Read for Through<'_, R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.to.write_all(&buffer[..count])?;
        Ok(count)
    }
}

fn folder(root: &Path, epoch: u64, packer: &Packer, known: &KnownDigests) -> Result<(Segment, Facts)> {
    let mut members = Vec::new();
    for entry in WalkDir::new(root).min_depth(1).sort_by_file_name() {
        let entry = entry.with_context(|| format!("failed to read `{}`", root.display()))?;
        let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let Some(path) = relative.to_str().map(str::to_owned) else {
            bail!("`{}` has a name that is not UTF-8", entry.path().display());
        };
        let metadata = entry.metadata().with_context(|| format!("failed to read `{}`", entry.path().display()))?;
        let kind = metadata.file_type();
        let (kind, content) = if kind.is_dir() {
            (Kind::Folder, Content::None)
        } else if kind.is_symlink() {
            let target = std::fs::read_link(entry.path())?;
            (Kind::Symlink(target.to_str().context("a link's target is not UTF-8")?.to_owned()), Content::None)
        } else if kind.is_file() {
            let (digest, size) = known.digest(entry.path())?;
            (Kind::File(size), Content::File(entry.path().to_owned(), digest))
        } else {
            // Devices and sockets are the container's business.
            continue;
        };
        let mode = if matches!(kind, Kind::Symlink(_)) { 0o777 } else { metadata.permissions().mode() & 0o7777 };
        let (uid, gid) = (u64::from(metadata.uid()), u64::from(metadata.gid()));
        members.push(Member { entry: Entry { path, mode, uid, gid, mtime: epoch, kind }, content });
    }
    let layer = Layer { members };
    let segment = packer.layer(&layer)?;
    if let Some(facts) = cached_facts(packer, &segment) {
        return Ok((segment, facts));
    }
    let facts = Facts::read(crate::archive::gzip::decoder(packer.cache().open(&segment)?))?;
    keep_facts(packer, &segment, &facts)?;
    Ok((segment, facts))
}
