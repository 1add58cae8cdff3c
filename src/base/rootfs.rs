//! `base = { rootfs = "…" }`: a tar or a folder as one layer.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use walkdir::WalkDir;

use super::packed::{self, cached_facts, keep_facts, pack, unpacked};
use super::sorted::Sorted;
use crate::app::{Base, BaseChoice, Facts};
use crate::archive::{Entry, EntryKind};
use crate::digest::Digest;
use crate::fs::Pending;
use crate::oci::{History, RunConfig};
use crate::segment::{Content, Key, KnownDigests, Layer, LayerMember, Packer, Segment};

pub fn read(path: &Path, epoch: u64, packer: &Packer, known: &KnownDigests) -> Result<Base> {
    let (segment, facts) = if path.is_dir() { folder(path, epoch, packer, known)? } else { tar(path, packer, known)? };
    ensure!(!facts.folders.is_empty(), "`{}` is not a root file system: it contains no folders", path.display());
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let history = History { created_by: Some(format!("cargo-appbundle: base rootfs {name}")), ..History::default() };
    Ok(Base {
        choice: BaseChoice::Rootfs(path.to_owned()),
        layers: vec![segment],
        config: RunConfig::default(),
        history: vec![history],
        facts,
        reference: None,
        written: None,
    })
}

/// The tar's members become the layer unchanged, but in another order. An unchanged file is recognised by its stamp and not read
/// again.
fn tar(path: &Path, packer: &Packer, known: &KnownDigests) -> Result<(Segment, Facts)> {
    let key = |diff_id: &Digest| Key::of([&b"rootfs"[..], packer.level().name().as_bytes(), diff_id.hex().as_bytes()]);
    let stamped = known.stamp(path)?;
    if let Some(segment) = known.recall_layer(path).and_then(|diff_id| packer.cache().get(key(&diff_id)))
        && let Some(facts) = cached_facts(packer, &segment)
    {
        return Ok((segment, facts));
    }
    let failed = || format!("failed to read `{}` as a tar", path.display());
    let unpacked = unpacked(path, packer)?;
    let file = std::fs::File::open(unpacked.as_ref().map_or(path, Pending::path)).with_context(failed)?;
    let sorted = Sorted::new(file).with_context(failed)?;
    let (segment, facts) = pack(sorted, key, packer).with_context(failed)?;
    known.remember_layer(path, stamped, segment.diff_id);
    keep_facts(packer, &segment, &facts)?;
    Ok((segment, facts))
}

fn folder(root: &Path, epoch: u64, packer: &Packer, known: &KnownDigests) -> Result<(Segment, Facts)> {
    let mut members = Vec::new();
    for entry in WalkDir::new(root).min_depth(1).sort_by_file_name() {
        let entry = entry.with_context(|| format!("failed to read `{}`", root.display()))?;
        let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let Some(path) = relative.to_str().map(str::to_owned) else {
            bail!("the name of `{}` is not UTF-8", entry.path().display());
        };
        let metadata = entry.metadata().with_context(|| format!("failed to read `{}`", entry.path().display()))?;
        let kind = metadata.file_type();
        let (kind, content) = if kind.is_dir() {
            (EntryKind::Folder, Content::None)
        } else if kind.is_symlink() {
            let target = std::fs::read_link(entry.path())?;
            (EntryKind::Symlink(target.to_str().context("a link's target is not UTF-8")?.to_owned()), Content::None)
        } else if kind.is_file() {
            let (digest, size) = known.digest(entry.path())?;
            (EntryKind::File(size), Content::File(entry.path().to_owned(), digest))
        } else {
            // The container runtime provides devices and sockets.
            continue;
        };
        let mode = if matches!(kind, EntryKind::Symlink(_)) { 0o777 } else { metadata.permissions().mode() & 0o7777 };
        let (uid, gid) = (u64::from(metadata.uid()), u64::from(metadata.gid()));
        members.push(LayerMember { entry: Entry { path, mode, uid, gid, mtime: epoch, kind }, content });
    }
    let segment = packer.layer(&Layer::new(members))?;
    let facts = packed::facts(packer, &segment)?;
    Ok((segment, facts))
}
