//! Ctrl-C and SIGTERM, so that what was started can be stopped first.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::signal::unix::{SignalKind, signal};

/// How often is looked.
const PAUSE: Duration = Duration::from_millis(20);

/// Counts interrupts by the user.
#[derive(Clone, Debug)]
pub struct Interrupt {
    count: Arc<AtomicUsize>,
}

impl Interrupt {
    /// From now on, SIGINT, SIGTERM and SIGHUP no longer end this process; they are counted.
    pub fn listen() -> Result<Self> {
        let count = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&count);
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        on_signals(&kinds.map(|kind| kind.as_raw_value()), move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
        })?;
        Ok(Self { count })
    }

    /// The same count, for who ends when it is more than zero.
    pub fn wishes(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.count)
    }

    /// How often the user wished to stop.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Does what may take long; none once the user wishes to stop: what is done then ends with this process, as when there is nobody
    /// who listens for signals.
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

/// From now on, the signals of these numbers do not do to this process what they would, but have this done with their number.
///
/// # Errors
/// When one of them cannot be listened for.
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
