//! Streams archives of images into an engine.

use std::io::{self, Write};

use anyhow::Result;
use bollard::query_parameters::ImportImageOptionsBuilder;
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::sync::mpsc::{Sender, channel};

use super::Engine;

/// How many chunks may wait to be sent. Times [`PIECE`], this bounds the memory of a load.
const WAITING: usize = 4;

/// Bytes of a chunk.
const PIECE: usize = 256 * 1024;

/// Carries bytes from the thread that writes the archive to the request that sends it.
pub(super) struct Pipe {
    to: Sender<io::Result<Bytes>>,
    piece: Vec<u8>,
}

impl Pipe {
    /// The writing end, and the stream that the request reads.
    pub(super) fn new() -> (Self, impl futures_util::Stream<Item = io::Result<Bytes>> + Send + 'static) {
        let (to, mut from) = channel(WAITING);
        (Self { to, piece: Vec::with_capacity(PIECE) }, futures_util::stream::poll_fn(move |context| from.poll_recv(context)))
    }

    fn send(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        self.to.blocking_send(Ok(piece.into())).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// Runs `write`. If it fails, the request's end fails too, so that the engine does not accept a partial archive.
    pub(super) fn fill(mut self, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
        let written = write(&mut self).and_then(|()| Ok(self.send()?));
        if written.is_err() {
            let _ = self.to.blocking_send(Err(io::Error::other("failed to read the whole archive")));
        }
        written
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&bytes[..count]);
        if self.piece.len() == PIECE {
            self.send()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send()
    }
}

/// Of two failed ends, returns the error that caused the other: a broken pipe only counts if there is no other error.
pub(super) fn both<T>(written: Result<()>, answered: Result<T>) -> Result<T> {
    let broken = |error: &anyhow::Error| {
        error.chain().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe))
    };
    match (written, answered) {
        (Ok(()), answered) => answered,
        (Err(error), Err(answer)) if broken(&error) => Err(answer),
        (Err(error), _) => Err(error),
    }
}

impl Engine {
    /// Loads the docker archive that `write` writes.
    ///
    /// # Errors
    /// When writing fails, or the engine rejects the archive or stops answering.
    pub fn load(&self, write: impl FnOnce(&mut dyn Write) -> Result<()> + Send) -> Result<()> {
        let (pipe, stream) = Pipe::new();
        let options = ImportImageOptionsBuilder::new().quiet(true).build();
        let told = |error| self.told(error, "loading images");
        let (written, answered) = std::thread::scope(|scope| {
            let writer = scope.spawn(|| pipe.fill(write));
            let answered = self.runtime.block_on(async {
                let mut answers = std::pin::pin!(self.docker.import_image_stream(options, stream, None));
                while let Some(answer) = answers.next().await {
                    answer.map_err(told)?;
                }
                Ok(())
            });
            (writer.join(), answered)
        });
        both(written.unwrap_or_else(|_| Err(anyhow::anyhow!("the thread that sends the archive panicked"))), answered)
    }
}
