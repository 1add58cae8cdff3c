//! Catches Ctrl-C and SIGTERM, so that containers can be stopped first.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::signal::unix::{SignalKind, signal};

/// How often to check for an interrupt.
const PAUSE: Duration = Duration::from_millis(20);

/// Counts the user's interrupts.
#[derive(Clone, Debug)]
pub struct Interrupt {
    count: Arc<AtomicUsize>,
}

impl Interrupt {
    /// Catches SIGINT, SIGTERM and SIGHUP from now on: they no longer end this process, but are counted.
    pub fn listen() -> Result<Self> {
        let count = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&count);
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        on_signals(&kinds.map(|kind| kind.as_raw_value()), move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
        })?;
        Ok(Self { count })
    }

    /// The shared counter itself.
    pub fn wishes(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.count)
    }

    /// How often the user interrupted.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Runs `work` on a thread; returns `None` if the user interrupts first. The thread then ends with this process.
    pub fn unless_wished<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (to, from) = channel();
        let worker = std::thread::spawn(move || drop(to.send(work())));
        while self.count() == 0 {
            match from.recv_timeout(PAUSE) {
                Ok(done) => return Some(done),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    if let Err(panic) = worker.join() {
                        std::panic::resume_unwind(panic);
                    }
                    return None;
                }
            }
        }
        None
    }
}

/// Replaces the default action of these signals: `act` is called with the signal's number instead.
///
/// # Errors
/// When a signal cannot be caught.
pub fn on_signals(numbers: &[i32], mut act: impl FnMut(i32) + Send + 'static) -> Result<()> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("failed to start the async runtime")?;
    let mut signals = {
        let _inside = runtime.enter();
        let listen = |number: &i32| Ok((*number, signal(SignalKind::from_raw(*number)).context("failed to listen for signals")?));
        numbers.iter().map(listen).collect::<Result<Vec<_>>>()?
    };
    std::thread::spawn(move || {
        runtime.block_on(std::future::poll_fn(|context| {
            for (number, signal) in &mut signals {
                while signal.poll_recv(context).is_ready() {
                    act(*number);
                }
            }
            std::task::Poll::<()>::Pending
        }));
    });
    Ok(())
}
