//! A tar reader for archives that others wrote, friendly or not.
//!
//! Reads ustar, GNU (long names, base-256 numbers) and pax (path, linkpath, size) as streams. A name or extension of more than
//! [`LIMIT`] bytes is an error, so a hostile archive cannot fill the memory.

use std::io::{self, Read, Seek};

use anyhow::{Context as _, Result, bail, ensure};

use super::entry::{Extension, TarEntry, is_header, read_pax, text};

/// Bytes that a long name or a pax header may have.
const LIMIT: u64 = 1 << 20;

/// Bytes of the longest path that Linux takes (`PATH_MAX`).
const LONGEST_PATH: usize = 4096;

/// Gives the members of an archive one by one; `Read` gives the content of the last one given.
pub struct TarReader<R> {
    reader: R,
    position: u64,
    left: u64,
    padding: u64,
    ended: bool,
    global: bool,
    /// Where the last member and its padding end.
    end: u64,
}

/// What stands after the last member of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tail {
    /// Bytes; two zero blocks have 1024.
    pub size: u64,
    /// How many of them are not zero.
    pub junk: u64,
}

impl<R: Read> TarReader<R> {
    /// Reads from an archive's first byte.
    pub fn new(reader: R) -> Self {
        Self { reader, position: 0, left: 0, padding: 0, ended: false, global: false, end: 0 }
    }

    /// The next member, or `None` at the end-of-archive blocks or the end of the stream between two members.
    ///
    /// # Errors
    /// When the stream fails or ends inside a member, or a header is not one.
    pub fn next_entry(&mut self) -> Result<Option<TarEntry>> {
        let mut extension = Extension::default();
        loop {
            self.skip_rest()?;
            if self.ended {
                return Ok(None);
            }
            self.end = self.position;
            let Some(header) = self.header()? else {
                self.ended = true;
                return Ok(None);
            };
            let at = self.position - 512;
            let wrong = || format!("the tar header at byte {at} is damaged");
            let mut size = header.entry_size().with_context(wrong)?;
            let kind = header.entry_type();
            if kind.is_gnu_longname()
                || kind.is_gnu_longlink()
                || kind.is_pax_local_extensions()
                || kind.is_pax_global_extensions()
            {
                self.begin(size)?;
                ensure!(size <= LIMIT, "the tar header at byte {at} declares a name of {size} bytes");
                let mut value = Vec::new();
                self.read_to_end(&mut value)?;
                ensure!(value.len() as u64 == size, "the archive ends inside a header");
                if kind.is_gnu_longname() {
                    extension.path = Some(text(value.split(|b| *b == 0).next().unwrap_or_default()));
                } else if kind.is_gnu_longlink() {
                    extension.link = Some(text(value.split(|b| *b == 0).next().unwrap_or_default()));
                } else if kind.is_pax_local_extensions() {
                    read_pax(&value, &mut extension).with_context(wrong)?;
                } else {
                    self.global = true;
                }
                continue;
            }
            if kind.is_gnu_sparse() && header.as_gnu().is_some_and(tar::GnuHeader::is_extended) {
                self.skip_sparse_map()?;
            }
            if let Some(larger) = extension.size {
                size = larger;
            }
            // Links and folders have no content, whatever their size field says (POSIX ustar).
            if kind.is_symlink()
                || kind.is_hard_link()
                || kind.is_dir()
                || kind.is_fifo()
                || kind.is_character_special()
                || kind.is_block_special()
            {
                size = 0;
            }
            self.begin(size)?;
            let path = extension.path.take().unwrap_or_else(|| text(&header.path_bytes()));
            let link = extension.link.take().or_else(|| header.link_name_bytes().map(|l| text(&l)));
            for name in [Some(&path), link.as_ref()].into_iter().flatten() {
                ensure!(name.len() <= LONGEST_PATH, "a name of {} bytes at byte {} is too long", name.len(), self.position);
            }
            return Ok(Some(TarEntry {
                path,
                kind,
                link: link.filter(|_| kind.is_symlink() || kind.is_hard_link()),
                size,
                mode: header.mode().with_context(wrong)? & 0o7777,
                uid: header.uid().with_context(wrong)?,
                gid: header.gid().with_context(wrong)?,
                mtime: header.mtime().with_context(wrong)?,
                offset: self.position,
            }));
        }
    }

    /// Reads what stands after the last member; gives the number of bytes that are not zero.
    pub fn drain(&mut self) -> Result<u64> {
        self.skip_rest()?;
        let mut junk = 0;
        let mut buffer = [0; 16 * 1024];
        loop {
            match self.reader.read(&mut buffer) {
                Ok(0) => return Ok(junk),
                Ok(count) => {
                    self.position += count as u64;
                    junk += buffer[..count].iter().filter(|b| **b != 0).count() as u64;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
    }

    /// Reads what stands after the last member, once [`TarReader::next_entry`] gave `None`.
    pub fn tail(&mut self) -> Result<Tail> {
        let junk = self.drain()?;
        Ok(Tail { size: self.position - self.end, junk })
    }

    /// Whether a header was met that speaks of all members after it.
    pub fn has_global_header(&self) -> bool {
        self.global
    }

    /// Bytes read so far.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// What it reads from.
    pub fn get_ref(&self) -> &R {
        &self.reader
    }

    /// What it reads from; to be asked at the border of a member alone.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.reader
    }

    fn begin(&mut self, size: u64) -> Result<()> {
        ensure!(self.position.checked_add(size).is_some_and(|end| end < 1 << 62), "a member declares {size} bytes");
        self.left = size;
        self.padding = (512 - size % 512) % 512;
        Ok(())
    }

    fn header(&mut self) -> Result<Option<tar::Header>> {
        let mut header = tar::Header::new_old();
        let block = header.as_mut_bytes();
        let mut filled = 0;
        while filled < block.len() {
            match self.reader.read(&mut block[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => bail!("the archive is cut short at byte {}", self.position + filled as u64),
                Ok(count) => filled += count,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
        self.position += 512;
        if block.iter().all(|b| *b == 0) {
            return Ok(None);
        }
        let at = self.position - 512;
        ensure!(is_header(&header), "there is no tar header at byte {at}");
        Ok(Some(header))
    }

    /// A sparse file with many holes has further blocks behind its header, which its size does not count (GNU tar,
    /// "Storing Sparse Files"). Each says whether one more follows.
    fn skip_sparse_map(&mut self) -> Result<()> {
        loop {
            let mut block = [0; 512];
            self.reader.read_exact(&mut block).with_context(|| format!("the archive is cut short at byte {}", self.position))?;
            self.position += 512;
            if block[504] == 0 {
                return Ok(());
            }
        }
    }

    fn skip_rest(&mut self) -> Result<()> {
        let rest = self.left + self.padding;
        if rest > 0 {
            let skipped = io::copy(&mut (&mut self.reader).take(rest), &mut io::sink())?;
            self.position += skipped;
            // The padding of the very last member is left out by some writers.
            ensure!(skipped >= self.left, "the archive is cut short at byte {}", self.position);
            self.left = 0;
            self.padding = 0;
        }
        Ok(())
    }
}

impl<R: Read + Seek> TarReader<R> {
    /// Passes over what is left of the last member without reading it, in a stream of `length` bytes in all.
    ///
    /// # Errors
    /// When the stream ends inside the member, or cannot be sought in.
    pub fn seek_past(&mut self, length: u64) -> Result<()> {
        ensure!(self.position + self.left <= length, "the archive is cut short at byte {length}");
        let rest = (self.left + self.padding).min(length - self.position);
        self.reader.seek_relative(i64::try_from(rest)?)?;
        self.position += rest;
        (self.left, self.padding) = (0, 0);
        Ok(())
    }
}

impl<R: Read> Read for TarReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.reader.read(&mut buffer[..most])?;
        if count == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("the archive is cut short at byte {}", self.position),
            ));
        }
        self.left -= count as u64;
        self.position += count as u64;
        Ok(count)
    }
}
