//! The call of `cargo metadata`.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{Metadata, MetadataCommand};

use super::options::CargoOptions;
use super::refusal::refusal;

/// Runs `cargo metadata` with more arguments. What Cargo says of its steps, such as `Downloading`, is passed on to `step`.
///
/// # Errors
/// When Cargo cannot be run, or refuses: see [`refusal`].
pub fn metadata(options: &CargoOptions, more: &[&str], step: &dyn Fn(&str)) -> Result<Metadata> {
    let mut command = MetadataCommand::new();
    command.cargo_path(&options.program);
    if let Some(path) = &options.manifest_path {
        command.manifest_path(path);
    }
    let more = more.iter().map(|&argument| argument.to_owned());
    command.other_options(options.common_flags().into_iter().chain(more).collect::<Vec<_>>());
    let (stdout, stderr, good) = run(&mut command.cargo_command(), step)
        .with_context(|| format!("failed to run `{} metadata`", options.program.display()))?;
    if !good {
        bail!(refusal(&stderr));
    }
    let json = stdout.lines().find(|line| line.starts_with('{')).unwrap_or_default();
    MetadataCommand::parse(json).with_context(|| format!("failed to read the output of `{} metadata`", options.program.display()))
}

/// What it wrote to stdout and stderr, and whether it succeeded.
fn run(command: &mut Command, step: &dyn Fn(&str)) -> std::io::Result<(String, String, bool)> {
    let pipes = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn()?;
    let (mut out, errors) = (child.stdout.take(), child.stderr.take());
    let mut said = String::new();
    let stdout = std::thread::scope(|scope| {
        let stdout = scope.spawn(|| {
            let mut bytes = Vec::new();
            out.as_mut().map(|out| out.read_to_end(&mut bytes)).transpose().map(|_| bytes)
        });
        for line in errors.map(BufReader::new).into_iter().flat_map(|errors| errors.lines()).map_while(Result::ok) {
            if is_step(&line) {
                step(&line);
            }
            said += &line;
            said.push('\n');
        }
        stdout.join().unwrap_or_else(|_| Ok(Vec::new()))
    })?;
    let good = child.wait()?.success();
    Ok((String::from_utf8_lossy(&stdout).into_owned(), said, good))
}

/// Cargo's steps are verbs, right-aligned in twelve columns.
fn is_step(line: &str) -> bool {
    let verb = line.trim_start().split(' ').next().unwrap_or_default();
    line.get(..12).is_some_and(|column| column.trim_start() == verb) && verb.starts_with(char::is_uppercase)
}
