//! The `.auterionos` file: a Mender artifact around `SLUG.image` (`docs/file-format.md`, sections 2 and 4).

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use super::layout::Part;
use super::marks::Marks;
use super::survey::app::DeclaredApp;
use crate::app::{Base, Image};
use crate::archive::gzip::{self, Compressor, Level};
use crate::archive::{END_OF_ARCHIVE, encode_file, padding};
use crate::diagnostic::Code;
use crate::digest::{self, Digest, ResumableHasher};
use crate::fs::Pending;
use crate::mender::{Artifact, Faults, ManifestSigner, PayloadFile, PayloadWriter};
use crate::oci::DockerImage;
use crate::segment::{Cache, Segment};

/// The parts of the file other than the images.
pub struct Payload {
    /// `AUTHOR.NAME`.
    pub slug: String,
    /// The version as a tag.
    pub version: String,
    /// `auterion-app.yml` as the device gets it.
    pub app_file: String,
    /// `app.yml`, for API 1.
    pub compose: Option<String>,
    /// `settings.default.env`.
    pub settings: Vec<u8>,
}

/// A piece of `SLUG.image`.
enum Piece {
    /// A gzip member of the bytes between layers; without its header if that header is a mark.
    Member(Vec<u8>),
    /// A layer.
    Layer(Segment),
    /// The header of the next member, which serves as a mark: it ends with the SHA-256 padding of everything before it, so that
    /// hashing can resume there.
    Mark(Vec<u8>),
}

impl Piece {
    fn size(&self) -> u64 {
        match self {
            Self::Member(bytes) | Self::Mark(bytes) => bytes.len() as u64,
            Self::Layer(segment) => segment.compressed,
        }
    }

    /// A text that identifies its bytes.
    fn print(&self) -> String {
        match self {
            Self::Member(bytes) | Self::Mark(bytes) => Digest::of(bytes).to_string(),
            Self::Layer(segment) => format!("{} {}", segment.key, segment.crc32),
        }
    }
}

/// Writes the bundle; returns its size. The bytes are copied while `begun` waits for the hash that [`begin_sum`] started
/// elsewhere.
///
/// # Errors
/// When AuterionOS would reject the app file, a cached layer is damaged ([`crate::segment::Damaged`]), the manifest cannot be signed,
/// or the file cannot be written.
pub fn write(
    to: &mut Pending,
    artifact: &Artifact,
    payload: Payload,
    part: Part<'_>,
    signer: Option<&ManifestSigner<'_>>,
    begun: impl FnOnce() + Send,
    written: &dyn Fn(u64),
) -> Result<u64> {
    let Part { images, cache, documents } = part;
    let mut faults = Faults::default();
    DeclaredApp::parse(&payload.app_file, &mut faults);
    if !faults.is_empty() {
        let faults = faults.into_vec().join("\n  ");
        bail!(Code::AuterionValue.error(format!(
            "AuterionOS would refuse its `auterion-app.yml`:\n  {faults}\nhelp: write the file with `cargo appbundle generate --for auterionos`"
        )));
    }
    let pieces = pieces(images, artifact.mtime)?;
    let image = PayloadFile {
        name: format!("{}.image", payload.slug),
        size: pieces.iter().map(Piece::size).sum(),
        write: Box::new(|to| write_image(to, &pieces, cache, begun, written)),
    };
    let mut files = vec![
        PayloadFile::bytes("auterion-app.yml", payload.app_file.into_bytes()),
        image,
        PayloadFile::bytes("version", payload.version.into_bytes()),
        PayloadFile::bytes("settings.default.env", payload.settings),
        PayloadFile::bytes("settings.user.env", Vec::new()),
    ];
    files.extend(payload.compose.map(|compose| PayloadFile::bytes("app.yml", compose.into_bytes())));
    // Devices have no use for these.
    files.extend(documents.iter().map(|document| PayloadFile::bytes(&document.name, document.bytes.clone())));
    let path = to.path().to_owned();
    // A small buffer, so that blocks of layers bypass it without being copied.
    let mut file = std::io::BufWriter::with_capacity(1 << 12, to.file());
    let size = crate::mender::write(&mut file, artifact, files, signer)?;
    file.flush().with_context(|| format!("failed to write `{}`", path.display()))?;
    drop(file);
    Ok(size)
}

/// Hashes the beginning of the image, the layers of the bases, so that [`write()`] has less to do. `bases` has the base of each
/// image, in the same order. An error here occurs again in [`write()`], which reports it.
pub fn begin_sum(bases: &[&Base], mtime: u64, cache: &Cache) -> Result<()> {
    let layers: Vec<&[Segment]> = bases.iter().map(|base| base.layers.as_slice()).collect();
    let (pieces, _) = layer_pieces(&layers, mtime)?;
    let mut marks = Marks::load(&marks_path(cache));
    let keys = keys(&pieces);
    if keys.last().is_none_or(|last| marks.get(last).is_some()) {
        return Ok(());
    }
    digest(&pieces, cache, &mut marks)?;
    marks.save()
}

fn marks_path(cache: &Cache) -> PathBuf {
    cache.folder().join("image.marks")
}

/// A docker archive as gzip members. Layers come first, lowest layers at the very beginning, because they change least; then the
/// configs and `manifest.json` (section 4.4).
fn pieces(images: &[Image], mtime: u64) -> Result<Vec<Piece>> {
    let layers: Vec<&[Segment]> = images.iter().map(|image| image.layers.as_slice()).collect();
    let (mut pieces, mut before) = layer_pieces(&layers, mtime)?;
    let mut manifest = Vec::new();
    let mut configs = BTreeSet::new();
    for image in images {
        let config = format!("{}.json", image.id.hex());
        if configs.insert(image.id) {
            before.extend(encode_file(&config, 0o644, image.config_bytes.len() as u64, mtime)?);
            before.extend(&image.config_bytes);
            before.extend(padding(image.config_bytes.len() as u64));
        }
        let layers = image.layers.iter().map(|segment| format!("{}.tar", segment.diff_id.hex())).collect();
        manifest.push(DockerImage { config, repo_tags: vec![image.reference.to_string()], layers });
    }
    let manifest = serde_json::to_vec(&manifest)?;
    before.extend(encode_file("manifest.json", 0o644, manifest.len() as u64, mtime)?);
    before.extend(&manifest);
    before.extend(padding(manifest.len() as u64));
    before.extend(END_OF_ARCHIVE);
    push_member(&mut pieces, &before)?;
    Ok(pieces)
}

/// The pieces of all images' layers, lowest first and each followed by a mark, and the bytes still to pack after the last one.
fn layer_pieces(images: &[&[Segment]], mtime: u64) -> Result<(Vec<Piece>, Vec<u8>)> {
    let (mut pieces, mut seen, mut before) = (Vec::new(), BTreeSet::new(), Vec::new());
    let deepest = images.iter().map(|layers| layers.len()).max().unwrap_or(0);
    for level in 0..deepest {
        for segment in images.iter().filter_map(|layers| layers.get(level)) {
            if !seen.insert(segment.diff_id) {
                continue;
            }
            before.extend(encode_file(&format!("{}.tar", segment.diff_id.hex()), 0o644, segment.uncompressed, mtime)?);
            push_member(&mut pieces, &before)?;
            pieces.push(Piece::Layer(segment.clone()));
            push_mark(&mut pieces);
            before = padding(segment.uncompressed).to_vec();
        }
    }
    Ok((pieces, before))
}

fn push_member(pieces: &mut Vec<Piece>, bytes: &[u8]) -> Result<()> {
    let mut space = Vec::new();
    let member = Compressor::new(Level::Default).member(bytes, &mut space)?;
    let has_header = matches!(pieces.last(), Some(Piece::Mark(_)));
    pieces.push(Piece::Member(member[if has_header { gzip::HEADER } else { 0 }..].to_vec()));
    Ok(())
}

fn push_mark(pieces: &mut Vec<Piece>) {
    let before: u64 = pieces.iter().map(Piece::size).sum();
    pieces.push(Piece::Mark(gzip::header_with(*b"SH", &digest::padding(before + gzip::EXTRA_AT as u64))));
}

/// For each piece, a key for everything up to its end.
fn keys(pieces: &[Piece]) -> Vec<Digest> {
    let mut rolling = Digest::of(b"image");
    let step = |piece: &Piece| {
        rolling = Digest::of(format!("{rolling}{}", piece.print()));
        rolling
    };
    pieces.iter().map(step).collect()
}

/// Copies and hashes the pieces, on two threads.
fn write_image(
    to: &mut PayloadWriter<'_>,
    pieces: &[Piece],
    cache: &Cache,
    begun: impl FnOnce() + Send,
    written: &dyn Fn(u64),
) -> Result<Digest> {
    std::thread::scope(|scope| {
        let sum = scope.spawn(|| {
            begun();
            let mut marks = Marks::load(&marks_path(cache));
            let sum = digest(pieces, cache, &mut marks)?;
            marks.save()?;
            Ok(sum)
        });
        for piece in pieces {
            match piece {
                Piece::Member(bytes) | Piece::Mark(bytes) => to.write_all(bytes)?,
                Piece::Layer(segment) => cache.read(segment, |block, crc| Ok(to.write_summed(block, crc)?))?,
            }
            written(piece.size());
        }
        sum.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Hashes all pieces; resumes after the longest beginning whose mark is known.
fn digest(pieces: &[Piece], cache: &Cache, marks: &mut Marks) -> Result<Digest> {
    let keys = keys(pieces);
    let known = (0..pieces.len()).rev().find_map(|at| Some((at + 1, marks.get(&keys[at])?)));
    let (from, mut hasher) = known.unwrap_or_else(|| (0, ResumableHasher::default()));
    keys[..from].iter().for_each(|key| marks.keep(key));
    for (piece, key) in pieces.iter().zip(&keys).skip(from) {
        match piece {
            Piece::Member(bytes) => hasher.update(bytes),
            Piece::Layer(segment) => cache.read(segment, |block, _| {
                hasher.update(block);
                Ok(())
            })?,
            Piece::Mark(header) => {
                let (before, padding) = header.split_at(gzip::EXTRA_AT);
                hasher.update(before);
                marks.insert(key, hasher.mark());
                hasher.update(padding);
            }
        }
    }
    Ok(hasher.finish())
}
