//! Whether an artifact is, byte for byte, what [`super::write()`] makes of its contents.
//!
//! A signature is of the manifest, and so of the contents of all files. Around them are headers of two tars and the frame of a gzip
//! file, which it says nothing of. This writes them anew, and compares.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use anyhow::Result;

use super::Beginning;
use super::write::{VERSION, member};
use crate::archive::gzip::{self, StoredWriter, stored_content};
use crate::archive::{END_OF_ARCHIVE, TarReader, encode_file, padding};

/// Says whether all bytes of the file follow from its contents. One that cannot be read is not canonical.
///
/// # Errors
/// When the file cannot be opened.
pub fn is_canonical(path: &Path) -> Result<bool> {
    let open = || File::open(path);
    let Ok(beginning) = Beginning::read(open()?) else { return Ok(false) };
    // `mender-artifact sign` copies everything else as it is, and gives the signature this mode.
    for signature_mode in [0o600, 0o644] {
        let mut written = Compared { file: BufReader::with_capacity(1 << 18, open()?) };
        if written.artifact(&beginning, signature_mode, open()?).is_ok() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A file that is compared with what is written.
struct Compared {
    file: BufReader<File>,
}

impl Compared {
    /// Writes the artifact of this beginning, and of the payload that `contents` has; an error is a difference.
    fn artifact(&mut self, beginning: &Beginning, signature_mode: u32, contents: File) -> Result<()> {
        let differs = || io::Error::other("it differs");
        let Beginning { version, manifest, signature, packed_header: (name, header), mtime, sums, .. } = beginning;
        if name != "header.tar.gz" || version != VERSION {
            return Err(differs().into());
        }
        member(self, "version", version, *mtime)?;
        member(self, "manifest", manifest, *mtime)?;
        if let Some(signature) = signature {
            let size = signature.len() as u64;
            self.write_all(&encode_file("manifest.sig", signature_mode, size, *mtime)?)?;
            self.write_all(signature)?;
            self.write_all(padding(size))?;
        }
        member(self, name, header, *mtime)?;
        let mut outer = TarReader::new(BufReader::with_capacity(1 << 18, contents));
        let data = loop {
            match outer.next_entry()? {
                Some(entry) if entry.path == "data/0000.tar.gz" => break entry,
                Some(_) => {}
                None => return Err(differs().into()),
            }
        };
        self.write_all(&encode_file("data/0000.tar.gz", 0o600, data.size, *mtime)?)?;
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
