//! Completion scripts for shells.

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
/// When clap makes something other than text.
pub fn print(command: &Command, of: Shell, shell: &crate::shell::Shell) -> Result<()> {
    let visible = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    let mut shown = Command::new("cargo-appbundle").args(command.get_arguments()).subcommands(visible);
    let mut script = Vec::new();
    clap_complete::generate(of, &mut shown, "cargo-appbundle", &mut script);
    script.extend_from_slice(of_cargo(of).as_bytes());
    let script = String::from_utf8(script).context("a script is not text")?;
    shell.result("appbundle-completions", serde_json::json!({ "script": script }), script.trim_end());
    Ok(())
}
