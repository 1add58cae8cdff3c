//! A child that may take only so long.

use std::io::{Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::group::end_group;

/// Bytes that are kept of each stream.
const MOST: u64 = 1 << 20;

/// Between two looks at the child.
const PAUSE: Duration = Duration::from_millis(5);

/// Runs a command with these bytes on its stdin; gives what it said, whether it failed or not. `None` if it did not end within
/// the limit: it and all that it started were killed.
///
/// # Errors
/// When it cannot be started.
pub fn exchange_within(command: &mut Command, input: &[u8], limit: Duration) -> Result<Option<Output>> {
    let deadline = Instant::now() + limit;
    let program = command.get_program().to_string_lossy().into_owned();
    let pipes = command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().with_context(|| format!("failed to run `{program}`"))?;
    let stdin = child.stdin.take();
    let input = input.to_vec();
    std::thread::spawn(move || {
        // A program that does not read its input may still answer.
        stdin.and_then(|mut stdin| stdin.write_all(&input).ok())
    });
    let (stdout, stderr) = (gathered(child.stdout.take()), gathered(child.stderr.take()));
    let left = || deadline.saturating_duration_since(Instant::now());
    let status = loop {
        match child.try_wait().with_context(|| format!("failed to wait for `{program}`"))? {
            Some(status) => break Some(status),
            None if left().is_zero() => break None,
            None => std::thread::sleep(PAUSE.min(left())),
        }
    };
    // What it left running may keep its streams open.
    let streams = status.and_then(|_| Some((stdout.recv_timeout(left()).ok()?, stderr.recv_timeout(left()).ok()?)));
    let (Some(status), Some((stdout, stderr))) = (status, streams) else {
        end_group(&child, true);
        child.wait().with_context(|| format!("failed to wait for `{program}`"))?;
        return Ok(None);
    };
    Ok(Some(Output { status, stdout, stderr }))
}

fn gathered(from: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut from) = from {
            // What was read before a failure is what there is.
            let _ = from.by_ref().take(MOST).read_to_end(&mut bytes);
            let _ = std::io::copy(&mut from, &mut std::io::sink());
        }
        let _ = send.send(bytes);
    });
    receive
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, limit: Duration) -> Option<Output> {
        exchange_within(Command::new("sh").args(["-c", script]), b"in", limit).expect("started")
    }

    #[test]
    fn it_answers_or_is_killed() {
        let output = sh("cat; echo why >&2; exit 3", Duration::from_secs(20)).expect("ended");
        assert_eq!((output.status.code(), &output.stdout[..], &output.stderr[..]), (Some(3), &b"in"[..], &b"why\n"[..]));
        let start = Instant::now();
        for script in ["sleep 60", "sleep 60 & exit 0", "trap '' INT TERM; while :; do sleep 60; done"] {
            assert!(sh(script, Duration::from_millis(300)).is_none(), "{script}");
        }
        assert!(start.elapsed() < Duration::from_secs(20));
    }
}
