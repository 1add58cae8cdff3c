//! Threads that compress blocks, and the buffers that all layers packed at one time share: they bound the memory.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use anyhow::{Context as _, Result, anyhow};

use crate::archive::gzip::{Compressor, Level};

/// Compressing threads; they end with it.
pub(super) struct Pool {
    jobs: Option<SyncSender<Job>>,
    buffers: Arc<Buffers>,
    workers: Vec<JoinHandle<()>>,
}

struct Buffers {
    give: Sender<Vec<u8>>,
    take: Mutex<Receiver<Vec<u8>>>,
}

/// A block to compress.
struct Job {
    input: Vec<u8>,
    reply: SyncSender<Result<Block>>,
}

/// A compressed block.
pub(super) struct Block {
    /// One gzip member.
    pub bytes: Vec<u8>,
    /// Its CRC-32.
    pub crc: crc32fast::Hasher,
}

impl Pool {
    /// Starts the threads.
    pub fn start(threads: usize, level: Level) -> Self {
        let (jobs, queue) = sync_channel::<Job>(threads);
        let queue = Arc::new(Mutex::new(queue));
        let (give, take) = channel();
        let buffers = Arc::new(Buffers { give, take: Mutex::new(take) });
        for _ in 0..3 * threads {
            buffers.give(Vec::new());
        }
        let workers = (0..threads)
            .map(|_| {
                let (queue, buffers) = (Arc::clone(&queue), Arc::clone(&buffers));
                std::thread::spawn(move || {
                    // Who fills the blocks, and who sums what is done, is alone in it and would be waited for.
                    crate::process::step_back();
                    let (mut compressor, mut output) = (Compressor::new(level), Vec::new());
                    loop {
                        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                        let Ok(Job { input, reply }) = job else { break };
                        let block = Block::compress(&mut compressor, &input, &mut output);
                        buffers.give(input);
                        // A producer that failed no longer waits for its blocks.
                        let _ = reply.send(block);
                    }
                })
            })
            .collect();
        Self { jobs: Some(jobs), buffers, workers }
    }

    /// An empty buffer, as soon as there is one.
    pub fn buffer(&self) -> Result<Vec<u8>> {
        self.buffers.take()
    }

    /// Takes a buffer back.
    pub fn give_back(&self, buffer: Vec<u8>) {
        self.buffers.give(buffer);
    }

    /// Has a buffer's bytes compressed; the block comes through what is returned.
    pub fn compress(&self, input: Vec<u8>) -> Result<Receiver<Result<Block>>> {
        let (reply, result) = sync_channel(1);
        let jobs = self.jobs.as_ref().context("the compressing threads have ended")?;
        jobs.send(Job { input, reply }).map_err(|_| anyhow!("a compressing thread died"))?;
        Ok(result)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.jobs = None;
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
    }
}

impl Buffers {
    fn take(&self) -> Result<Vec<u8>> {
        self.take.lock().unwrap_or_else(PoisonError::into_inner).recv().map_err(|_| anyhow!("a compressing thread died"))
    }

    fn give(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        // The receiver lives as long as `self`.
        let _ = self.give.send(buffer);
    }
}

impl Block {
    fn compress(compressor: &mut Compressor, input: &[u8], output: &mut Vec<u8>) -> Result<Self> {
        let bytes = compressor.member(input, output)?.to_vec();
        let mut crc = crc32fast::Hasher::new();
        crc.update(&bytes);
        Ok(Self { bytes, crc })
    }
}
