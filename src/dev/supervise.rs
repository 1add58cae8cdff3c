//! `cargo appbundle supervise`: the first process of a container of `dev`. It runs the service, and runs it again when a socket
//! says so: that takes as long as a process takes, and not as long as a container.

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

/// What is asked: to end the service and start it again.
pub const RESTART: u8 = b'r';

/// What is asked when it does not end.
pub const KILL: u8 = b'k';

/// What is answered once it was started again.
pub const STARTED: u8 = b's';

/// Those that reach the service; after the first three, its end is the container's.
const HANDED_DOWN: [Signal; 7] =
    [Signal::TERM, Signal::INT, Signal::QUIT, Signal::HUP, Signal::USR1, Signal::USR2, Signal::WINCH];

enum Event {
    /// The service has ended.
    Ended(WaitStatus),
    /// Somebody has sent a signal.
    Signal(Signal),
    /// The socket says so.
    Asked(u8),
}

/// Runs a command line until it ends or is to end.
///
/// # Errors
/// [`Exited`] with its exit code; or when it cannot be started.
pub fn run(control: &Path, words: &[OsString]) -> Result<()> {
    let (to, events) = channel();
    let signals = to.clone();
    let numbers = HANDED_DOWN.map(Signal::as_raw);
    on_signals(&numbers, move |number| {
        Signal::from_named_raw(number).and_then(|signal| signals.send(Event::Signal(signal)).ok());
    })?;
    // What the service leaves becomes our child, also where the engine has a first process of its own.
    os::adopt_orphans()?;
    let mut answers = listen(control, to.clone());
    let mut service = start(words, &to)?;
    let mut again = false;
    for event in events {
        // One that has just ended needs no signal.
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
            // One that comes late would hit the next one.
            Event::Asked(KILL) if again => tell(Signal::KILL),
            Event::Asked(_) => {}
            Event::Ended(_) if again => {
                again = false;
                end_left();
                service = start(words, &to)?;
                // A peer that no longer listens needs no answer.
                let _ = answers.as_mut().map(|answers| answers.write_all(&[STARTED]));
            }
            Event::Ended(status) => {
                end_left();
                // As shells have it.
                let code = status.exit_status().or(status.terminating_signal().map(|signal| 128 + signal)).unwrap_or(1);
                return if code == 0 { Ok(()) } else { Err(Exited(code as u8).into()) };
            }
        }
    }
    Ok(())
}

/// What the socket says becomes events. Without it, the service runs as it would alone.
fn listen(control: &Path, to: Sender<Event>) -> Option<UnixStream> {
    let stream = UnixStream::connect(control).ok()?;
    let mut asked = stream.try_clone().ok()?;
    std::thread::spawn(move || {
        let mut word = [0];
        while asked.read_exact(&mut word).is_ok() && to.send(Event::Asked(word[0])).is_ok() {}
    });
    Some(stream)
}

/// Starts the service; whatever else ends in the container while it runs is waited for, as its first process must.
fn start(words: &[OsString], to: &Sender<Event>) -> Result<Pid> {
    let (program, arguments) = words.split_first().context("the command line is missing")?;
    let child = match Command::new(program).args(arguments).spawn() {
        Ok(child) => child,
        Err(error) => {
            anstream::eprintln!("failed to start `{}`: {error}", program.display());
            // As engines have it.
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

/// Ends what a service has started and left, as the end of a container would.
fn end_left() {
    loop {
        for process in os::children().into_iter().filter_map(Pid::from_raw) {
            let _ = kill_process(process, Signal::KILL);
        }
        // Of each that ends, the children become ours.
        match wait(WaitOptions::empty()) {
            Err(error) if error != rustix::io::Errno::INTR => return,
            _ => {}
        }
    }
}
