//! Threads that compress blocks, and the buffers that all layers packed at one time share: they bound the memory.
//!
//! Who fills blocks compresses some too while it would have to wait. So there are no more threads at work than are wanted, and none
//! of them takes turns with another on one core while the next core has nothing to do.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use anyhow::{Result, anyhow};

use crate::archive::gzip::{Compressor, Level};

/// Compressing threads; they end with it.
pub(super) struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

struct Shared {
    level: Level,
    state: Mutex<State>,
    /// There is a job, a buffer or the end.
    changed: Condvar,
}

struct State {
    jobs: VecDeque<Job>,
    buffers: Vec<Vec<u8>>,
    /// Those that nobody uses now.
    tools: Vec<Tool>,
    ended: bool,
}

/// A block to compress.
struct Job {
    input: Vec<u8>,
    reply: SyncSender<Result<Block>>,
}

/// What one thread compresses with.
struct Tool {
    compressor: Compressor,
    output: Vec<u8>,
}

/// A compressed block.
pub(super) struct Block {
    /// One gzip member.
    pub bytes: Vec<u8>,
    /// Its CRC-32.
    pub crc: crc32fast::Hasher,
}

/// A block that is being compressed.
pub(super) struct Waiting(Receiver<Result<Block>>);

impl Pool {
    /// Starts the threads: one less than are to be at work, for the one who fills the blocks is at work too.
    pub fn start(threads: usize, level: Level) -> Self {
        // One is filled and one compressed for each, and one more lies ready.
        let buffers = vec![Vec::new(); 2 * threads + 1];
        let state = State { jobs: VecDeque::new(), buffers, tools: Vec::new(), ended: false };
        let shared = Arc::new(Shared { level, state: Mutex::new(state), changed: Condvar::new() });
        let workers = (1..threads)
            .map(|_| {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || shared.work())
            })
            .collect();
        Self { shared, workers }
    }

    /// An empty buffer, as soon as there is one.
    pub fn buffer(&self) -> Vec<u8> {
        let mut state = self.shared.lock();
        loop {
            if let Some(buffer) = state.buffers.pop() {
                return buffer;
            }
            state = match state.jobs.pop_front() {
                Some(job) => {
                    drop(state);
                    self.shared.run(job);
                    self.shared.lock()
                }
                None => self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Takes a buffer back.
    pub fn give_back(&self, buffer: Vec<u8>) {
        self.shared.give_back(buffer);
    }

    /// Has a buffer's bytes compressed.
    pub fn compress(&self, input: Vec<u8>) -> Waiting {
        let (reply, result) = sync_channel(1);
        self.shared.lock().jobs.push_back(Job { input, reply });
        self.shared.changed.notify_all();
        Waiting(result)
    }

    /// The block, as soon as it is compressed.
    ///
    /// # Errors
    /// When it could not be.
    pub fn wait(&self, block: &Waiting) -> Result<Block> {
        loop {
            match block.0.try_recv() {
                Ok(block) => return block,
                Err(TryRecvError::Disconnected) => return Err(anyhow!("a compressing thread died")),
                Err(TryRecvError::Empty) => {}
            }
            let job = self.shared.lock().jobs.pop_front();
            match job {
                Some(job) => self.shared.run(job),
                // Then somebody is at it.
                None => return block.0.recv().map_err(|_| anyhow!("a compressing thread died"))?,
            }
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.changed.notify_all();
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_back(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        self.lock().buffers.push(buffer);
        self.changed.notify_all();
    }

    /// Compresses until the end.
    fn work(&self) {
        let mut state = self.lock();
        while !state.ended {
            state = match state.jobs.pop_front() {
                Some(job) => {
                    drop(state);
                    self.run(job);
                    self.lock()
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn run(&self, Job { input, reply }: Job) {
        let tool = self.lock().tools.pop();
        let mut tool = tool.unwrap_or_else(|| Tool { compressor: Compressor::new(self.level), output: Vec::new() });
        let block = tool.compress(&input);
        self.lock().tools.push(tool);
        self.give_back(input);
        // A producer that failed no longer waits for its blocks.
        let _ = reply.send(block);
    }
}

impl Tool {
    fn compress(&mut self, input: &[u8]) -> Result<Block> {
        let bytes = self.compressor.member(input, &mut self.output)?.to_vec();
        let mut crc = crc32fast::Hasher::new();
        crc.update(&bytes);
        Ok(Block { bytes, crc })
    }
}
