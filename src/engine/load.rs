//! Archives of images into an engine, as a stream.

use std::io::{self, Write};

use anyhow::Result;
use bollard::query_parameters::ImportImageOptionsBuilder;
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::sync::mpsc::{Sender, channel};

use super::Engine;

/// Pieces that wait to be sent; with [`PIECE`], all the memory that an archive takes.
const WAITING: usize = 4;

/// Bytes of a piece.
const PIECE: usize = 256 * 1024;

/// Bytes that a thread writes and the engine reads.
pub(super) struct Pipe {
    to: Sender<io::Result<Bytes>>,
    piece: Vec<u8>,
}

impl Pipe {
    /// Both ends.
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

    /// Runs what writes. If that fails, the engine's end of the pipe breaks, so that it does not take a part for the whole.
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

/// Of two ends that failed, the one that failed by itself: a broken pipe is only told of when there is nothing better.
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
    /// When writing fails, or the engine refuses the archive or goes away.
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
