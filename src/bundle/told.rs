//! How far the reading of a bundle has come.

use std::io::{self, Read};

/// A reader that tells how many bytes were read.
pub struct Told<'a, R> {
    /// What is read.
    pub reader: R,
    /// Called at each step.
    pub told: &'a dyn Fn(u64),
}

impl<R: Read> Read for Told<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        (self.told)(count as u64);
        Ok(count)
    }
}
