//! The members before the payload: all that a signature is of, and has to be read to sign.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom, Write as _};

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::part::{Part, unpacked};
use super::{Faults, Header, manifest};
use crate::archive::{BLOCK, TarEntry, TarReader, encode_file, padding};
use crate::digest::Digest;

/// Bytes of one of these members.
const LARGEST: u64 = 8 << 20;

/// An artifact up to its payload.
#[derive(Debug)]
pub struct Beginning {
    /// The bytes of `version`.
    pub version: Vec<u8>,
    /// The bytes of `manifest`, of which `manifest.sig` is the signature.
    pub manifest: Vec<u8>,
    /// The bytes of `manifest.sig`.
    pub signature: Option<Vec<u8>>,
    /// The header's name and bytes; its sum was compared with the manifest's.
    pub packed_header: (String, Vec<u8>),
    /// What the header says.
    pub header: Header,
    /// The time of the header's own members, which is that of all members in what [`super::write()`] writes.
    pub mtime: u64,
    /// The sums in the manifest, in its order.
    pub sums: Vec<(String, Digest)>,
    /// Where `manifest` ends, and where what follows `manifest.sig` begins.
    around: (u64, u64),
    manifest_mtime: u64,
}

/// Base64 of a signature to the signature (`docs/file-format.md`, section 2.3); `None` if it is something else.
pub fn decode_signature(text: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// A signature to the content of `manifest.sig`: one line without a line feed.
pub fn encode_signature(signature: &[u8]) -> Vec<u8> {
    STANDARD.encode(signature).into_bytes()
}

impl Beginning {
    /// Reads an artifact up to its payload.
    ///
    /// # Errors
    /// When a member is missing, at another place or damaged.
    pub fn read(file: impl Read) -> Result<Self> {
        let mut tar = TarReader::new(BufReader::with_capacity(1 << 16, file));
        let (_, version) = member(&mut tar, Part::Version)?.context("`version` is not its first member")?;
        let (entry, bytes) = member(&mut tar, Part::Manifest)?.context("`manifest` is not its second member")?;
        let end = |entry: &TarEntry| entry.offset + entry.size.next_multiple_of(BLOCK);
        let (until, manifest_mtime) = (end(&entry), entry.mtime);
        let mut following = tar.next_entry()?.context("it ends after `manifest`")?;
        let (mut from, mut signature) = (until, None);
        if Part::of(&following.path) == Some(Part::Signature) {
            signature = Some(small(&following, &mut tar)?);
            from = end(&following);
            following = tar.next_entry()?.context("it ends after `manifest.sig`")?;
        }
        ensure!(Part::of(&following.path) == Some(Part::Header), "its header is missing");
        let packed = small(&following, &mut tar)?;
        let last = tar.next_entry()?.context("its payload is missing")?;
        ensure!(Part::of(&last.path) == Some(Part::Data), "its payload does not follow its header");
        let mut faults = Faults::default();
        let sums = manifest::parse(&bytes, &mut faults);
        for (name, content) in [("version", &version), (&following.path, &packed)] {
            if sums.get(name) != Some(&Digest::of(content)) {
                faults.add(format!("the digest of `{name}` differs from the one in `manifest`"));
            }
        }
        let mut header = Header::default();
        header.read(unpacked(&following.path, &packed[..])?.take(LARGEST), &mut faults);
        let first = TarReader::new(unpacked(&following.path, &packed[..])?).next_entry()?;
        if let Some(fault) = faults.into_vec().into_iter().next() {
            anyhow::bail!("{fault}");
        }
        let lines = String::from_utf8_lossy(&bytes);
        let names = lines.lines().filter_map(|line| line.split_once("  "));
        let sums = names.filter_map(|(sum, name)| Some((name.to_owned(), Digest::from_hex(sum)?))).collect();
        Ok(Self {
            version,
            signature,
            packed_header: (following.path, packed),
            header,
            mtime: first.map_or(0, |entry| entry.mtime),
            sums,
            around: (until, from),
            manifest_mtime,
            manifest: bytes,
        })
    }

    /// The member `manifest.sig` with this content: header, content, padding.
    ///
    /// # Errors
    /// None that a signature of usual size could cause.
    pub fn signature_member(&self, content: &[u8]) -> Result<Vec<u8>> {
        let size = content.len() as u64;
        let mut bytes = encode_file("manifest.sig", 0o600, size, self.manifest_mtime)?;
        bytes.extend_from_slice(content);
        bytes.extend_from_slice(padding(size));
        Ok(bytes)
    }

    /// The artifact with another `manifest.sig`: a reader of it, made of the same file once more.
    ///
    /// # Errors
    /// When the file cannot be sought in.
    pub fn with_member<'a>(&self, member: &'a [u8], before: File, mut after: File) -> Result<impl Read + use<'a>> {
        let (until, from) = self.around;
        after.seek(SeekFrom::Start(from))?;
        Ok(before.take(until).chain(member).chain(after))
    }

    /// Writes the artifact with another `manifest.sig` to a file. The rest is copied by the system, and not read.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn copy_with_member(&self, member: &[u8], mut file: &File, mut to: &File) -> io::Result<()> {
        let (until, from) = self.around;
        file.seek(SeekFrom::Start(0))?;
        io::copy(&mut file.take(until), &mut to)?;
        to.write_all(member)?;
        file.seek(SeekFrom::Start(from))?;
        io::copy(&mut file, &mut to)?;
        Ok(())
    }
}

/// The next member, if it is this part.
fn member(tar: &mut TarReader<impl Read>, part: Part) -> Result<Option<(TarEntry, Vec<u8>)>> {
    let Some(entry) = tar.next_entry()?.filter(|entry| Part::of(&entry.path) == Some(part)) else { return Ok(None) };
    let bytes = small(&entry, tar)?;
    Ok(Some((entry, bytes)))
}

fn small(entry: &TarEntry, tar: &mut impl Read) -> Result<Vec<u8>> {
    ensure!(entry.kind.is_file() && entry.size <= LARGEST, "`{}` is not a file of at most {LARGEST} bytes", entry.path);
    let mut bytes = Vec::new();
    tar.read_to_end(&mut bytes)?;
    Ok(bytes)
}
