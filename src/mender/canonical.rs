//! Whether an artifact is, byte for byte, what [`super::write()`] makes of its contents.
//!
//! A signature is of the manifest, and so of the contents of all files. Around them are headers of two tars and the frame of a gzip
//! file, which it says nothing of. This writes them anew, and compares.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use anyhow::Result;

use super::Beginning;
use super::write::VERSION;
use crate::archive::gzip::{self, StoredWriter, stored_content};
use crate::archive::{BLOCK, END_OF_ARCHIVE, TarReader, encode_file, padding};

/// Says whether all bytes of the file follow from its contents. One that cannot be read is not canonical.
///
/// # Errors
/// When the file cannot be opened.
pub fn is_canonical(path: &Path) -> Result<bool> {
    let open = || File::open(path);
    let Ok(beginning) = Beginning::read(open()?) else { return Ok(false) };
    for dialect in [Dialect::Own, Dialect::MenderArtifact] {
        let mut written = Compared { file: BufReader::with_capacity(1 << 18, open()?), dialect };
        if written.artifact(&beginning, open()?).is_ok() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How the headers of the outer tar are written. The rest of a file of ours is always as [`super::write()`] writes it.
#[derive(Clone, Copy, PartialEq)]
enum Dialect {
    /// As in [`super::write()`].
    Own,
    /// As `mender-artifact sign` writes them anew, with Go's library.
    MenderArtifact,
}

impl Dialect {
    fn header(self, name: &str, size: usize, mtime: u64) -> Result<Vec<u8>> {
        let mode = if self == Self::MenderArtifact && name == "manifest.sig" { 0o644 } else { 0o600 };
        let mut header = encode_file(name, mode, size as u64, mtime)?;
        if self == Self::MenderArtifact && header.len() as u64 == BLOCK {
            // The numbers of devices (POSIX ustar), and the check sum with a space at its end.
            header[329..336].copy_from_slice(b"0000000");
            header[337..344].copy_from_slice(b"0000000");
            header[148..156].copy_from_slice(b"        ");
            let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
            header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
        Ok(header)
    }
}

/// A file that is compared with what is written.
struct Compared {
    file: BufReader<File>,
    dialect: Dialect,
}

impl Compared {
    /// Writes the artifact of this beginning, and of the payload that `contents` has; an error is a difference.
    fn artifact(&mut self, beginning: &Beginning, contents: File) -> Result<()> {
        let differs = || io::Error::other("it differs");
        let Beginning { version, manifest, signature, packed_header: (name, header), mtime, sums, .. } = beginning;
        if name != "header.tar.gz" || version != VERSION {
            return Err(differs().into());
        }
        let signature = signature.as_ref().map(|signature| ("manifest.sig", signature));
        let members =
            [("version", version), ("manifest", manifest)].into_iter().chain(signature).chain([("header.tar.gz", header)]);
        for (name, bytes) in members {
            self.write_all(&self.dialect.header(name, bytes.len(), *mtime)?)?;
            self.write_all(bytes)?;
            self.write_all(padding(bytes.len() as u64))?;
        }
        let mut outer = TarReader::new(BufReader::with_capacity(1 << 18, contents));
        let data = loop {
            match outer.next_entry()? {
                Some(entry) if entry.path == "data/0000.tar.gz" => break entry,
                Some(_) => {}
                None => return Err(differs().into()),
            }
        };
        self.write_all(&self.dialect.header("data/0000.tar.gz", usize::try_from(data.size)?, *mtime)?)?;
        let size = stored_content(data.size).ok_or_else(differs)?;
        let mut names = sums.iter().filter_map(|(name, _)| name.strip_prefix("data/0000/"));
        let mut inner = TarReader::new(gzip::decoder(BufReader::with_capacity(1 << 18, outer)));
        let mut data_tar = StoredWriter::new(&mut *self, size)?;
        while let Some(entry) = inner.next_entry()? {
            if names.next() != Some(&entry.path) {
                return Err(differs().into());
            }
            data_tar.write_all(&encode_file(&entry.path, 0o644, entry.size, *mtime)?)?;
            io::copy(&mut inner, &mut data_tar)?;
            data_tar.write_all(padding(entry.size))?;
        }
        data_tar.write_all(&END_OF_ARCHIVE)?;
        data_tar.finish()?;
        self.write_all(padding(data.size))?;
        self.write_all(&END_OF_ARCHIVE)?;
        if names.next().is_some() || self.file.read(&mut [0])? > 0 { Err(differs().into()) } else { Ok(()) }
    }
}

impl Write for Compared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        let mut buffer = [0; 1 << 14];
        while !rest.is_empty() {
            let count = rest.len().min(buffer.len());
            let (now, later) = rest.split_at(count);
            let there = &mut buffer[..count];
            self.file.read_exact(there)?;
            if now != there {
                return Err(io::Error::other("it differs"));
            }
            rest = later;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
