//! Child processes, and how a failed one is told.

mod group;
mod timed;

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::thread::JoinHandle;

use anyhow::{Context as _, Result, bail};

pub use group::{end_group, end_group_of};
pub use timed::exchange_within;

/// The variable with a private key. Programs that a build starts do not get it.
pub const SIGN_KEY: &str = "APPBUNDLE_SIGN_KEY";

/// How much of a child's last words is kept.
const TAIL: usize = 64 * 1024;

/// A child of ours ended like this, and has said why: as an error, it becomes our own exit code without more words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exited(pub u8);

impl std::fmt::Display for Exited {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit code {}", self.0)
    }
}

impl std::error::Error for Exited {}

/// The command line as one could paste it into a shell, with the variables that were set for it.
pub fn command_line(command: &Command) -> String {
    let mut line = String::new();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            let _ = write!(line, "{}={} ", name.to_string_lossy(), shell_words::quote(&value.to_string_lossy()));
        }
    }
    let words = std::iter::once(command.get_program()).chain(command.get_args()).map(|word| word.to_string_lossy().into_owned());
    line + &shell_words::join(words)
}

/// A file of the C library, or of the compiler itself, as a driver of C compilers finds it.
pub fn file_of_compiler(driver: &str, name: &str) -> Option<PathBuf> {
    let output = Command::new(driver).arg(format!("-print-file-name={name}")).output().ok()?;
    let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    // The driver prints a name that it does not find as it is.
    (path.is_absolute() && path.exists()).then(|| std::fs::canonicalize(&path).unwrap_or(path))
}

/// Words as one could paste them into a shell.
pub fn words(words: &[String]) -> String {
    shell_words::join(words)
}

/// Takes a command line apart as a shell does.
pub fn split(line: &str) -> Result<Vec<String>> {
    shell_words::split(line).with_context(|| format!("`{line}` is not a valid command line"))
}

/// Runs a command to its end and gives what it wrote to stdout.
///
/// # Errors
/// When it cannot be started, or fails: then with command line, exit status and the end of its stderr.
pub fn capture(command: &mut Command) -> Result<String> {
    let Output { status, stdout, stderr } =
        command.stdin(Stdio::null()).output().with_context(|| format!("failed to run `{}`", command_line(command)))?;
    if !status.success() {
        bail!("{}", failure(command, status, &String::from_utf8_lossy(&stderr)));
    }
    String::from_utf8(stdout).with_context(|| format!("the output of `{}` is not UTF-8", command_line(command)))
}

/// Runs a command to its end with these bytes on its stdin; gives all that it said, whether it failed or not.
///
/// # Errors
/// When it cannot be started.
pub fn exchange(command: &mut Command, input: &[u8]) -> Result<Output> {
    let failed = |command: &Command| format!("failed to run `{}`", command_line(command));
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().with_context(|| failed(command))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that does not read its input may still answer.
        let _ = stdin.write_all(input);
    }
    child.wait_with_output().with_context(|| failed(command))
}

/// A failed command in words: command line, exit status, end of its stderr.
pub fn failure(command: &Command, status: ExitStatus, stderr: &str) -> String {
    let mut text = format!("process didn't exit successfully: `{}` ({status})", command_line(command));
    let lines: Vec<&str> = stderr.trim_end().lines().collect();
    if !lines.is_empty() {
        text.push_str("\n--- stderr");
        for line in &lines[lines.len().saturating_sub(20)..] {
            text.push('\n');
            text.push_str(line);
        }
    }
    text
}

/// Passes a child's stderr through to ours as it comes, and keeps its end.
pub struct Tee {
    thread: JoinHandle<Vec<u8>>,
}

impl Tee {
    /// Starts passing on.
    pub fn start(mut from: impl Read + Send + 'static) -> Self {
        let thread = std::thread::spawn(move || {
            let mut tail: VecDeque<u8> = VecDeque::new();
            let mut buffer = [0; 8192];
            while let Ok(count) = from.read(&mut buffer) {
                if count == 0 {
                    break;
                }
                // A reader of ours who went away is no reason to stop the compiler.
                let _ = std::io::stderr().write_all(&buffer[..count]);
                tail.extend(&buffer[..count]);
                let over = tail.len().saturating_sub(TAIL);
                tail.drain(..over);
            }
            tail.into()
        });
        Self { thread }
    }

    /// Waits for the end of the stream; gives its last 64 KiB.
    pub fn finish(self) -> String {
        String::from_utf8_lossy(&self.thread.join().unwrap_or_default()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_can_be_pasted() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo why >&2; exit 3"]).env("A", "b c");
        let error = capture(&mut command).expect_err("fails").to_string();
        assert!(error.contains("A='b c' sh -c 'echo why >&2; exit 3'"), "{error}");
        assert!(error.contains("exit status: 3") && error.ends_with("why"), "{error}");
    }
}
