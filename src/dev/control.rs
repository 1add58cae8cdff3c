//! The host's end of the connection to a service's supervisor: see [`super::supervise`].

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::supervise::{KILL, RESTART};

use crate::os;

/// How long killing and restarting a service may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often to check for an interrupt.
const LOOK: Duration = Duration::from_millis(100);

/// A socket to which a supervisor connects.
pub struct Control {
    caller: Arc<Mutex<Option<UnixStream>>>,
}

/// How a service was restarted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// It ended by itself after SIGTERM.
    Ended,
    /// It had to be killed.
    Killed,
    /// It was not restarted: there is no supervisor, it does not answer, or the user interrupted.
    Not,
}

impl Control {
    /// The socket's name.
    pub const NAME: &str = "control";

    /// Listens on a socket in this folder.
    ///
    /// # Errors
    /// When the socket cannot be created.
    pub fn listen(folder: &Path) -> Result<Self> {
        // A socket's path is limited to 107 bytes (unix(7)), but the folder's path may be longer.
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

    /// Whether a supervisor has connected.
    pub fn is_there(&self) -> bool {
        self.caller.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Asks the supervisor to restart the service. Kills the service if it does not end within `grace`.
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

/// Sends a request and waits for the answer; returns whether it came in time.
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
