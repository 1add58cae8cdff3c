//! `cargo appbundle supervise`: process 1 of a `dev` container. It runs the service, and restarts it when asked through a socket,
//! which is much faster than restarting the container.

use std::ffi::OsString;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Sender, channel};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, wait};

use crate::engine::on_signals;
use crate::os;
use crate::process::Exited;

/// Request: end the service and start it again.
pub const RESTART: u8 = b'r';

/// Request: kill the service, because it does not end.
pub const KILL: u8 = b'k';

/// Answer: the service was started again.
pub const STARTED: u8 = b's';

/// Signals passed on to the service. After one of the first three, the container ends with the service.
const HANDED_DOWN: [Signal; 7] =
    [Signal::TERM, Signal::INT, Signal::QUIT, Signal::HUP, Signal::USR1, Signal::USR2, Signal::WINCH];

enum Event {
    /// The service ended.
    Ended(WaitStatus),
    /// A signal arrived.
    Signal(Signal),
    /// A request arrived through the socket.
    Asked(u8),
}

/// Runs a command line until it ends without being asked to restart.
///
/// # Errors
/// [`Exited`] with its exit code, or when it cannot be started.
pub fn run(control: &Path, words: &[OsString]) -> Result<()> {
    let (to, events) = channel();
    let signals = to.clone();
    let numbers = HANDED_DOWN.map(Signal::as_raw);
    on_signals(&numbers, move |number| {
        Signal::from_named_raw(number).and_then(|signal| signals.send(Event::Signal(signal)).ok());
    })?;
    // Orphans of the service become our children, even if the engine runs its own init process.
    os::adopt_orphans()?;
    let mut answers = listen(control, to.clone());
    let mut service = start(words, &to)?;
    let mut again = false;
    for event in events {
        // A service that has just ended needs no signal.
        let tell = |signal| kill_process(service, signal).unwrap_or_default();
        match event {
            Event::Signal(signal) => {
                again = again && !HANDED_DOWN[..3].contains(&signal);
                tell(signal);
            }
            Event::Asked(RESTART) => {
                again = true;
                tell(Signal::TERM);
            }
            // A late request would kill the restarted service.
            Event::Asked(KILL) if again => tell(Signal::KILL),
            Event::Asked(_) => {}
            Event::Ended(_) if again => {
                again = false;
                end_left();
                service = start(words, &to)?;
                // If the other end is gone, nobody needs the answer.
                let _ = answers.as_mut().map(|answers| answers.write_all(&[STARTED]));
            }
            Event::Ended(status) => {
                end_left();
                // 128 plus the signal's number, as in shells.
                let code = status.exit_status().or(status.terminating_signal().map(|signal| 128 + signal)).unwrap_or(1);
                return if code == 0 { Ok(()) } else { Err(Exited(code as u8).into()) };
            }
        }
    }
    Ok(())
}

/// Turns requests from the socket into events. Without a socket, the service runs unsupervised.
fn listen(control: &Path, to: Sender<Event>) -> Option<UnixStream> {
    let stream = UnixStream::connect(control).ok()?;
    let mut asked = stream.try_clone().ok()?;
    std::thread::spawn(move || {
        let mut word = [0];
        while asked.read_exact(&mut word).is_ok() && to.send(Event::Asked(word[0])).is_ok() {}
    });
    Some(stream)
}

/// Starts the service, and reaps every other process that ends in the container, as process 1 must.
fn start(words: &[OsString], to: &Sender<Event>) -> Result<Pid> {
    let (program, arguments) = words.split_first().context("the command line is missing")?;
    let child = match Command::new(program).args(arguments).spawn() {
        Ok(child) => child,
        Err(error) => {
            anstream::eprintln!("failed to start `{}`: {error}", program.display());
            // The exit codes that engines use.
            return Err(Exited(if error.kind() == ErrorKind::NotFound { 127 } else { 126 }).into());
        }
    };
    let service = Pid::from_child(&child);
    let to = to.clone();
    std::thread::spawn(move || {
        loop {
            match wait(WaitOptions::empty()) {
                Ok(Some((ended, status))) if ended == service => return to.send(Event::Ended(status)),
                Err(error) if error != rustix::io::Errno::INTR => return Ok(()),
                _ => {}
            }
        }
    });
    Ok(service)
}

/// Kills the processes that the service left behind, as the end of a container would.
fn end_left() {
    loop {
        for process in os::children().into_iter().filter_map(Pid::from_raw) {
            let _ = kill_process(process, Signal::KILL);
        }
        // The children of a killed process become ours.
        match wait(WaitOptions::empty()) {
            Err(error) if error != rustix::io::Errno::INTR => return,
            _ => {}
        }
    }
}
