//! The connection to who runs a service in its container: see [`super::supervise`].

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::supervise::{KILL, RESTART};

use crate::os;

/// How long a service may take to be killed and started.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often to check for an interrupt.
const LOOK: Duration = Duration::from_millis(100);

/// A socket at which a supervisor calls.
pub struct Control {
    caller: Arc<Mutex<Option<UnixStream>>>,
}

/// How a service was started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// After it had ended.
    Ended,
    /// After it was killed.
    Killed,
    /// It was not: there is no supervisor.
    Not,
}

impl Control {
    /// The socket's name.
    pub const NAME: &str = "control";

    /// Listens at a socket in this folder from now on.
    ///
    /// # Errors
    /// When the socket cannot be made.
    pub fn listen(folder: &Path) -> Result<Self> {
        // The name of a socket has 107 bytes at most (unix(7)), a path may be longer.
        let open = fs_err::File::open(folder)?;
        let path = os::through(&open).join(Self::NAME);
        let listener =
            UnixListener::bind(&path).with_context(|| format!("failed to create a socket in `{}`", folder.display()))?;
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o666))?;
        let caller = Arc::new(Mutex::new(None));
        let last = Arc::clone(&caller);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                match stream {
                    Ok(stream) => *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(stream),
                    Err(_) => std::thread::sleep(LOOK),
                }
            }
        });
        Ok(Self { caller })
    }

    /// Whether somebody has called.
    pub fn is_there(&self) -> bool {
        self.caller.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Tells the supervisor to end the service within `grace` and start it again, unless the user interrupts.
    pub fn restart(&self, grace: Duration, is_interrupted: &dyn Fn() -> bool) -> Restart {
        let mut caller = self.caller.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(stream) = caller.as_mut() else { return Restart::Not };
        match ask(stream, RESTART, grace, is_interrupted) {
            Ok(true) => return Restart::Ended,
            Ok(false) if is_interrupted() => return Restart::Not,
            Ok(false) if ask(stream, KILL, PATIENCE, is_interrupted).unwrap_or_default() => return Restart::Killed,
            _ => {}
        }
        *caller = None;
        Restart::Not
    }
}

/// Asks, and waits for the answer; says whether it came in time.
fn ask(stream: &mut UnixStream, word: u8, patience: Duration, is_interrupted: &dyn Fn() -> bool) -> std::io::Result<bool> {
    stream.set_read_timeout(Some(LOOK.min(patience)))?;
    stream.write_all(&[word])?;
    let end = Instant::now() + patience;
    while Instant::now() < end && !is_interrupted() {
        match stream.read(&mut [0]) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(_) => return Ok(true),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}
