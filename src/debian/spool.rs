//! The contents of unpacked files, one behind the other in a file without a name: memory does not hold them, and no path of a package
//! reaches this machine's file system.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result};

/// The file; threads may share it.
#[derive(Debug)]
pub struct Spool {
    file: File,
    end: AtomicU64,
}

impl Spool {
    /// An empty one.
    ///
    /// # Errors
    /// When the temporary folder cannot be written.
    pub fn new() -> Result<Self> {
        let file = crate::fs::unnamed().context("failed to write to the temporary folder")?;
        Ok(Self { file, end: AtomicU64::new(0) })
    }

    /// Stores the next `size` bytes of a reader; gives where they begin.
    ///
    /// # Errors
    /// When the reader ends early, or the disk is full.
    pub fn store(&self, from: &mut impl Read, size: u64) -> Result<u64> {
        let start = self.end.fetch_add(size, Ordering::Relaxed);
        let mut buffer = vec![0; 64 << 10];
        let mut done = 0;
        while done < size {
            let wanted = buffer.len().min((size - done) as usize);
            let count = from.read(&mut buffer[..wanted])?;
            if count == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            self.file.write_all_at(&buffer[..count], start + done).context("failed to write to the temporary folder")?;
            done += count as u64;
        }
        Ok(start)
    }

    /// A stretch that was stored.
    pub fn stretch(&self, start: u64, size: u64) -> Stretch<'_> {
        Stretch { file: &self.file, start, size, position: 0 }
    }
}

/// A part of a spool, as if it were a file of its own.
#[derive(Debug)]
pub struct Stretch<'a> {
    file: &'a File,
    start: u64,
    size: u64,
    position: u64,
}

impl Read for Stretch<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = buffer.len().min(self.size.saturating_sub(self.position) as usize);
        let count = self.file.read_at(&mut buffer[..wanted], self.start + self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Stretch<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.size.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
