//! `cargo appbundle supervise`: the first process of a container of `dev`. It runs the service, and runs it again when a socket
//! says so: that takes as long as a process takes, and not as long as a container.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Sender, channel};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process, wait};

use crate::engine::on_wish;
use crate::process::Exited;

/// What is asked: to end the service and start it again.
pub const RESTART: u8 = b'r';

/// What is asked when it does not end.
pub const KILL: u8 = b'k';

/// What is answered once it was started again.
pub const STARTED: u8 = b's';

enum Event {
    /// The service has ended.
    Ended(WaitStatus),
    /// The container is to end.
    Stop,
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
    on_wish(move || drop(signals.send(Event::Stop)))?;
    let mut answers = listen(control, to.clone());
    let mut service = start(words, &to)?;
    let mut again = false;
    for event in events {
        // One that has just ended needs no signal.
        let tell = |signal| kill_process(service, signal).unwrap_or_default();
        match event {
            Event::Stop => {
                again = false;
                tell(Signal::TERM);
            }
            Event::Asked(RESTART) => {
                again = true;
                tell(Signal::TERM);
            }
            Event::Asked(KILL) => tell(Signal::KILL),
            Event::Asked(_) => {}
            Event::Ended(_) if again => {
                again = false;
                kill_others();
                service = start(words, &to)?;
                // Who no longer listens needs no answer.
                let _ = answers.as_mut().map(|answers| answers.write_all(&[STARTED]));
            }
            Event::Ended(status) => {
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
    let (program, arguments) = words.split_first().context("there is no command line")?;
    let child = Command::new(program).args(arguments).spawn();
    let child = child.with_context(|| format!("failed to start `{}`", program.display()))?;
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

/// What a service has started and left, as the end of a container would.
fn kill_others() {
    if !getpid().is_init() {
        return;
    }
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok().and_then(Pid::from_raw));
    for process in numbers.filter(|process| !process.is_init()) {
        let _ = kill_process(process, Signal::KILL);
    }
}
