//! Tar bytes in, compressed blocks in a file out.

use std::collections::VecDeque;
use std::io::{self, Write};

use anyhow::{Context as _, Result};

use super::BLOCK;
use super::pool::{Pool, Ticket};
use crate::digest::Hasher;
use crate::fs::Pending;

/// Takes a layer's tar bytes.
pub struct Sink<'a> {
    pool: &'a Pool,
    file: &'a mut Pending,
    /// The block being filled; none for the moment in which it changes hands.
    block: Option<Vec<u8>>,
    /// Blocks on their way, the oldest first.
    waiting: VecDeque<Ticket>,
    plain: Hasher,
    compressed: u64,
    crc: crc32fast::Hasher,
}

impl<'a> Sink<'a> {
    /// Begins a file of blocks.
    pub(super) fn new(pool: &'a Pool, file: &'a mut Pending) -> Self {
        let (plain, crc) = (Hasher::default(), crc32fast::Hasher::new());
        Self { pool, file, block: Some(pool.buffer()), waiting: VecDeque::new(), plain, compressed: 0, crc }
    }

    /// A buffer to fill. Where there is none, that of the oldest block comes back by writing it.
    fn buffer(&mut self) -> Result<Vec<u8>> {
        loop {
            match self.pool.try_buffer() {
                Some(buffer) => return Ok(buffer),
                None if self.waiting.is_empty() => return Ok(self.pool.buffer()),
                None => self.write_oldest()?,
            }
        }
    }

    fn submit(&mut self) {
        if let Some(input) = self.block.take() {
            self.waiting.push_back(self.pool.compress(input));
        }
    }

    fn write_oldest(&mut self) -> Result<()> {
        let Some(oldest) = self.waiting.pop_front() else { return Ok(()) };
        let block = self.pool.wait(oldest)?;
        self.compressed += block.len() as u64;
        self.crc.update(&block);
        let written = self.file.file().write_all(&block);
        self.pool.give_back(block);
        written.with_context(|| format!("failed to write `{}`", self.file.path().display()))
    }

    /// The sums of the bytes that came in, and the count and sum of those that went out.
    pub(super) fn finish(mut self) -> Result<(Hasher, u64, crc32fast::Hasher)> {
        // An empty layer still is one, empty, member.
        if self.plain.size() == 0 || self.block.as_ref().is_some_and(|block| !block.is_empty()) {
            self.submit();
        }
        while !self.waiting.is_empty() {
            self.write_oldest()?;
        }
        Ok((std::mem::take(&mut self.plain), self.compressed, std::mem::take(&mut self.crc)))
    }
}

impl Drop for Sink<'_> {
    fn drop(&mut self) {
        if let Some(buffer) = self.block.take() {
            self.pool.give_back(buffer);
        }
        self.waiting.drain(..).for_each(|ticket| self.pool.give_up(ticket));
    }
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let block = self.block.as_mut().ok_or_else(|| io::Error::other("the block was already finished"))?;
        if block.capacity() == 0 {
            block.reserve_exact(BLOCK);
        }
        let count = bytes.len().min(BLOCK - block.len());
        block.extend_from_slice(&bytes[..count]);
        let full = block.len() == BLOCK;
        self.plain.update(&bytes[..count]);
        if full {
            self.submit();
            self.block = Some(self.buffer().map_err(io::Error::other)?);
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
