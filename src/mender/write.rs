//! A whole artifact, written front to back in one pass: all sizes are known beforehand, the manifest's sums are filled in last.

use std::io::{Seek, SeekFrom, Write};

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;

use super::encode_signature;
use crate::archive::gzip::{Compressor, Level, StoredWriter, stored_size};
use crate::archive::{BLOCK, END_OF_ARCHIVE, encode_file, padding};
use crate::digest::Digest;

/// The bytes of the member `version` (section 2.1).
pub(super) const VERSION: &[u8] = br#"{"format":"mender","version":3}"#;

/// What the header says (section 2.4).
#[derive(Clone, Debug)]
pub struct Artifact {
    /// `SLUG:VERSION`.
    pub name: String,
    /// Compatible devices, at least one.
    pub device_types: Vec<String>,
    /// `SLUG`.
    pub software: String,
    /// The value that `docker-app.SLUG.version` gets.
    pub version: String,
    /// The text under `auterion-metadata`.
    pub metadata: String,
    /// Seconds since the epoch, for every member.
    pub mtime: u64,
}

/// One file of the payload (section 2.5).
pub struct PayloadFile<'a> {
    /// `A-Z a-z 0-9 _ - . ,`
    pub name: String,
    /// Bytes that `write` is going to write.
    pub size: u64,
    /// Writes the content and gives its sum.
    pub write: WriteContent<'a>,
}

/// Writes a payload file's content and gives its sum.
pub type WriteContent<'a> = Box<dyn FnOnce(&mut PayloadWriter<'_>) -> Result<Digest> + 'a>;

impl PayloadFile<'_> {
    /// A file of bytes in memory.
    pub fn bytes(name: &str, bytes: Vec<u8>) -> Self {
        let size = bytes.len() as u64;
        let write = move |to: &mut PayloadWriter<'_>| {
            to.write_all(&bytes)?;
            Ok(Digest::of(&bytes))
        };
        Self { name: name.to_owned(), size, write: Box::new(write) }
    }
}

/// Makes `manifest.sig` (section 2.3).
pub struct ManifestSigner<'a> {
    /// Bytes of the signature, before base64.
    pub size: usize,
    /// The bytes of `manifest` to their signature.
    pub sign: &'a dyn Fn(&[u8]) -> Result<Vec<u8>>,
}

/// Where a payload file's bytes go: the stored gzip around the data tar.
pub type PayloadWriter<'a> = StoredWriter<&'a mut dyn Write>;

#[derive(Serialize)]
struct HeaderInfo<'a> {
    payloads: [Type<'a>; 1],
    artifact_provides: ArtifactName<'a>,
    artifact_depends: DeviceTypes<'a>,
}

#[derive(Serialize)]
struct Type<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
}

#[derive(Serialize)]
struct ArtifactName<'a> {
    artifact_name: &'a str,
}

#[derive(Serialize)]
struct DeviceTypes<'a> {
    device_type: &'a [String],
}

#[derive(Serialize)]
struct TypeInfo<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    artifact_provides: serde_json::Map<String, serde_json::Value>,
    clears_artifact_provides: [String; 1],
}

impl Artifact {
    /// `header.tar.gz`.
    fn header(&self) -> Result<Vec<u8>> {
        let kind = "docker";
        let info = HeaderInfo {
            payloads: [Type { kind }],
            artifact_provides: ArtifactName { artifact_name: &self.name },
            artifact_depends: DeviceTypes { device_type: &self.device_types },
        };
        let key = format!("docker-app.{}", self.software);
        let provides = [(format!("{key}.version"), self.version.clone().into())].into_iter().collect();
        let type_info = TypeInfo { kind, artifact_provides: provides, clears_artifact_provides: [format!("{key}.*")] };
        let metadata = serde_json::json!({ "auterion-metadata": self.metadata });
        let mut tar = Vec::new();
        for (name, bytes) in [
            ("header-info", serde_json::to_vec(&info)?),
            ("headers/0000/type-info", serde_json::to_vec(&type_info)?),
            ("headers/0000/meta-data", serde_json::to_vec(&metadata)?),
        ] {
            let size = bytes.len() as u64;
            tar.extend(encode_file(name, 0o600, size, self.mtime)?);
            tar.extend(bytes);
            tar.extend(padding(size));
        }
        tar.extend(END_OF_ARCHIVE);
        Ok(Compressor::new(Level::Default).member(&tar, &mut Vec::new())?.to_vec())
    }
}

/// Writes the artifact; gives its size in bytes.
///
/// # Errors
/// When a file cannot be written or signed, or a payload file does not have the size that it announced.
pub fn write(
    to: &mut (impl Write + Seek),
    artifact: &Artifact,
    files: Vec<PayloadFile<'_>>,
    signer: Option<&ManifestSigner<'_>>,
) -> Result<u64> {
    let header = artifact.header()?;
    let mut names: Vec<String> = files.iter().map(|file| format!("data/0000/{}", file.name)).collect();
    names.extend(["header.tar.gz".to_owned(), "version".to_owned()]);
    // 64 digits, two spaces, the name, a line feed (section 2.2).
    let manifest_size = names.iter().map(|name| 64 + 2 + name.len() + 1).sum::<usize>();

    member(to, "version", VERSION, artifact.mtime)?;
    to.write_all(&encode_file("manifest", 0o600, manifest_size as u64, artifact.mtime)?)?;
    let manifest_at = to.stream_position()?;
    to.write_all(&vec![0; manifest_size])?;
    to.write_all(padding(manifest_size as u64))?;
    let mut signature_at = 0;
    if let Some(signer) = signer {
        let space = encode_signature(&vec![0; signer.size]);
        signature_at = to.stream_position()? + BLOCK;
        member(to, "manifest.sig", &space, artifact.mtime)?;
    }
    member(to, "header.tar.gz", &header, artifact.mtime)?;

    let mut tar_size = END_OF_ARCHIVE.len() as u64;
    let mut headers = Vec::new();
    for file in &files {
        let header = encode_file(&file.name, 0o644, file.size, artifact.mtime)?;
        tar_size += header.len() as u64 + file.size + padding(file.size).len() as u64;
        headers.push(header);
    }
    let data_size = stored_size(tar_size);
    to.write_all(&encode_file("data/0000.tar.gz", 0o600, data_size, artifact.mtime)?)?;
    let mut sums = Vec::new();
    let sink: &mut dyn Write = to;
    let mut data: PayloadWriter<'_> = StoredWriter::new(sink, tar_size)?;
    for (file, header) in files.into_iter().zip(headers) {
        data.write_all(&header)?;
        let before = data.left();
        sums.push((file.write)(&mut data).with_context(|| format!("failed to write `{}`", file.name))?);
        let written = before - data.left();
        ensure!(written == file.size, "`{}` has {written} bytes instead of {}", file.name, file.size);
        data.write_all(padding(file.size))?;
    }
    data.write_all(&END_OF_ARCHIVE)?;
    data.finish()?;
    to.write_all(padding(data_size))?;
    to.write_all(&END_OF_ARCHIVE)?;
    let end = to.stream_position()?;

    sums.extend([Digest::of(&header), Digest::of(VERSION)]);
    let manifest: String = sums.iter().zip(&names).map(|(sum, name)| format!("{}  {name}\n", sum.hex())).collect();
    to.seek(SeekFrom::Start(manifest_at))?;
    to.write_all(manifest.as_bytes())?;
    if let Some(signer) = signer {
        let signature = (signer.sign)(manifest.as_bytes())?;
        ensure!(signature.len() == signer.size, "the signature has {} bytes instead of {}", signature.len(), signer.size);
        to.seek(SeekFrom::Start(signature_at))?;
        to.write_all(&encode_signature(&signature))?;
    }
    to.seek(SeekFrom::Start(end))?;
    Ok(end)
}

fn member(to: &mut impl Write, name: &str, bytes: &[u8], mtime: u64) -> Result<()> {
    let size = bytes.len() as u64;
    to.write_all(&encode_file(name, 0o600, size, mtime)?)?;
    to.write_all(bytes)?;
    to.write_all(padding(size))?;
    Ok(())
}
