//! How much may be unpacked, and how much of a packed stream is used up.

use std::cell::Cell;
use std::io::{self, BufRead, Read};

/// Bytes that one archive may unpack to, unless the user says otherwise: larger bundles and bases there are none.
pub const MOST_UNPACKED: u64 = 64 << 30;

/// Bytes that all unpacking together may give: a small file can claim to hold any number of them.
#[derive(Debug)]
pub struct Budget {
    whole: u64,
    left: Cell<u64>,
}

impl Budget {
    /// So many bytes.
    pub fn new(bytes: u64) -> Self {
        Self { whole: bytes, left: Cell::new(bytes) }
    }

    /// Gives what `reader` gives, until the budget is used up; then it fails.
    pub fn reader<R: Read>(&self, reader: R) -> Bounded<'_, R> {
        Bounded { reader, budget: self }
    }
}

/// A reader on a [`Budget`].
#[derive(Debug)]
pub struct Bounded<'a, R> {
    reader: R,
    budget: &'a Budget,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        let Some(left) = self.budget.left.get().checked_sub(count as u64) else {
            self.budget.left.set(0);
            return Err(io::Error::other(format!("it unpacks to more than the limit of {} bytes", self.budget.whole)));
        };
        self.budget.left.set(left);
        Ok(count)
    }
}

/// Counts the bytes that are taken from a buffered stream, to the byte.
#[derive(Debug)]
pub struct Counted<'a, R> {
    reader: R,
    count: &'a Cell<u64>,
}

impl<'a, R: BufRead> Counted<'a, R> {
    /// Adds to `count`.
    pub fn new(reader: R, count: &'a Cell<u64>) -> Self {
        Self { reader, count }
    }
}

impl<R: BufRead> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.count.set(self.count.get() + count as u64);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counted<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.reader.consume(count);
        self.count.set(self.count.get() + count as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_shared() {
        let budget = Budget::new(5);
        let read = |bytes: &[u8]| budget.reader(bytes).read_to_end(&mut Vec::new()).is_ok();
        assert!(read(b"abc") && read(b"de") && read(b"") && !read(b"f"));
    }

    #[test]
    fn what_was_taken_is_counted() {
        let count = Cell::new(0);
        let mut reader = Counted::new(&b"abcdef"[..], &count);
        reader.read_exact(&mut [0; 2]).expect("read");
        reader.fill_buf().expect("read");
        reader.consume(3);
        assert_eq!(count.get(), 5);
    }
}
