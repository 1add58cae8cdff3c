//! A reader that reports progress.

use std::io::{self, Read};

/// A reader that reports how many bytes were read.
pub struct Told<'a, R> {
    /// The inner reader.
    pub reader: R,
    /// Called after each read.
    pub told: &'a dyn Fn(u64),
}

impl<R: Read> Read for Told<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        (self.told)(count as u64);
        Ok(count)
    }
}
