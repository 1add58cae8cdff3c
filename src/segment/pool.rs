//! Threads that compress blocks, and the buffers that all layers packed at one time share: they bound the memory.
//!
//! Who fills blocks compresses some too while it would have to wait. So no thread takes turns with another on one core while the
//! next core has nothing to do.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use anyhow::Result;

use crate::archive::gzip::{Compressor, Level};

/// Compressing threads; they end with it.
pub(super) struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

/// What a buffer stands for from [`Pool::compress`] to [`Pool::wait`] or [`Pool::give_up`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

struct Shared {
    level: Level,
    /// How many compress at a time.
    threads: usize,
    state: Mutex<State>,
    /// There is a job, a buffer, a compressed block or the end.
    changed: Condvar,
}

struct State {
    tickets: u64,
    jobs: VecDeque<(Ticket, Vec<u8>)>,
    running: usize,
    done: BTreeMap<Ticket, Result<Vec<u8>>>,
    /// Blocks being compressed whose result is no longer wanted.
    given_up: BTreeSet<Ticket>,
    buffers: Vec<Vec<u8>>,
    /// Buffers that are free.
    tools: Vec<Tool>,
    ended: bool,
}

/// What one thread compresses with.
struct Tool {
    compressor: Compressor,
    output: Vec<u8>,
}

impl Pool {
    /// Starts the threads: one less than are to compress, for the one who fills the blocks compresses too.
    pub fn start(threads: usize, level: Level) -> Self {
        let state = State {
            tickets: 0,
            jobs: VecDeque::new(),
            running: 0,
            done: BTreeMap::new(),
            given_up: BTreeSet::new(),
            // One is filled and one compressed for each, and some lie ready.
            buffers: vec![Vec::new(); 3 * threads],
            tools: Vec::new(),
            ended: false,
        };
        let shared = Arc::new(Shared { level, threads, state: Mutex::new(state), changed: Condvar::new() });
        let workers = (1..threads)
            .map(|_| {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || shared.work_until(|state| state.ended.then_some(())))
            })
            .collect();
        Self { shared, workers }
    }

    /// An empty buffer, if there is one.
    pub fn try_buffer(&self) -> Option<Vec<u8>> {
        self.shared.lock().buffers.pop()
    }

    /// An empty buffer, as soon as there is one. A caller that holds tickets has to turn them in first: they may hold all buffers.
    pub fn buffer(&self) -> Vec<u8> {
        self.shared.work_until(|state| state.buffers.pop())
    }

    /// Takes a buffer back.
    pub fn give_back(&self, buffer: Vec<u8>) {
        self.shared.lock().give_back(buffer);
        self.shared.changed.notify_all();
    }

    /// Has a buffer's bytes compressed.
    pub fn compress(&self, input: Vec<u8>) -> Ticket {
        let mut state = self.shared.lock();
        state.tickets += 1;
        let ticket = Ticket(state.tickets);
        state.jobs.push_back((ticket, input));
        self.shared.changed.notify_all();
        ticket
    }

    /// The buffer with one gzip member of what was in it, as soon as it is compressed.
    ///
    /// # Errors
    /// When it could not be.
    pub fn wait(&self, ticket: Ticket) -> Result<Vec<u8>> {
        self.shared.work_until(|state| state.done.remove(&ticket))
    }

    /// Wants a block no longer.
    pub fn give_up(&self, ticket: Ticket) {
        let mut state = self.shared.lock();
        if let Some(at) = state.jobs.iter().position(|(queued, _)| *queued == ticket) {
            let buffer = state.jobs.remove(at).map(|(_, buffer)| buffer);
            buffer.into_iter().for_each(|buffer| state.give_back(buffer));
        } else if let Some(block) = state.done.remove(&ticket) {
            block.into_iter().for_each(|buffer| state.give_back(buffer));
        } else {
            state.given_up.insert(ticket);
        }
        self.shared.changed.notify_all();
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

    /// Compresses what there is to compress until there is what is wanted.
    fn work_until<T>(&self, mut wanted: impl FnMut(&mut State) -> Option<T>) -> T {
        let mut state = self.lock();
        loop {
            if let Some(value) = wanted(&mut state) {
                return value;
            }
            let job = if state.running < self.threads { state.jobs.pop_front() } else { None };
            state = match job {
                Some((ticket, buffer)) => self.run(state, ticket, buffer),
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Compresses a buffer's bytes, unlocked meanwhile.
    fn run<'a>(&'a self, mut state: MutexGuard<'a, State>, ticket: Ticket, mut buffer: Vec<u8>) -> MutexGuard<'a, State> {
        state.running += 1;
        let tool = state.tools.pop();
        drop(state);
        let mut tool = tool.unwrap_or_else(|| Tool { compressor: Compressor::new(self.level), output: Vec::new() });
        let result = tool.compress(&mut buffer);
        let mut state = self.lock();
        state.running -= 1;
        state.tools.push(tool);
        if state.given_up.remove(&ticket) {
            state.give_back(buffer);
        } else if let Err(error) = result {
            state.give_back(buffer);
            state.done.insert(ticket, Err(error));
        } else {
            state.done.insert(ticket, Ok(buffer));
        }
        self.changed.notify_all();
        state
    }
}

impl State {
    fn give_back(&mut self, mut buffer: Vec<u8>) {
        buffer.clear();
        self.buffers.push(buffer);
    }
}

impl Tool {
    /// One gzip member takes the place of the bytes that it holds.
    fn compress(&mut self, buffer: &mut Vec<u8>) -> Result<()> {
        let member = self.compressor.member(buffer, &mut self.output)?;
        buffer.clear();
        // What does not compress is longer than it was, by little: the buffer is not to be doubled for it.
        buffer.reserve_exact(member.len());
        buffer.extend_from_slice(member);
        Ok(())
    }
}
