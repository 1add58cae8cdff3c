//! Completion scripts for shells.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use clap::Command;
use clap_complete::Shell;

/// What clap's scripts lack: they complete `cargo-appbundle`, and not `cargo appbundle`. Cargo's own completion for zsh asks the
/// function `_cargo-appbundle` by itself.
fn of_cargo(shell: Shell) -> &'static str {
    match shell {
        Shell::Bash => include_str!("../../templates/completions/cargo.bash"),
        Shell::Fish => include_str!("../../templates/completions/cargo.fish"),
        _ => "",
    }
}

/// Prints the script for a shell. Verbs that help does not show are not completed either.
///
/// # Errors
/// When stdout cannot be written.
pub fn print(command: &Command, shell: Shell) -> Result<()> {
    let visible = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    let mut shown = Command::new("cargo-appbundle").args(command.get_arguments()).subcommands(visible);
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut shown, "cargo-appbundle", &mut script);
    script.extend_from_slice(of_cargo(shell).as_bytes());
    std::io::stdout().write_all(&script).context("failed to write to stdout")
}
