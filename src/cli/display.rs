//! Flags for the output, and the shell they configure.

use anstream::ColorChoice;
use clap::{Args, ValueEnum};

use crate::shell::{MessageFormat, Shell, Verbosity};

#[derive(Args)]
pub struct ShellArgs {
    /// Also print commands and decisions
    #[arg(short, long, global = true, conflicts_with = "quiet", help_heading = "Display")]
    pub verbose: bool,
    /// Print only errors and warnings
    #[arg(short, long, global = true, help_heading = "Display")]
    pub quiet: bool,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", help_heading = "Display")]
    pub color: Option<Color>,
    /// Format of stdout; `json` prints one JSON message per line
    #[arg(long, global = true, value_name = "FMT", help_heading = "Display")]
    pub message_format: Option<FormatOfMessages>,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum FormatOfMessages {
    Human,
    Json,
}

impl ShellArgs {
    pub fn shell(&self) -> Shell {
        let verbosity = match (self.verbose, self.quiet) {
            (true, _) => Verbosity::Verbose,
            (_, true) => Verbosity::Quiet,
            _ => Verbosity::Normal,
        };
        let of_environment = || match std::env::var("CARGO_TERM_COLOR").as_deref() {
            Ok("always") => Color::Always,
            Ok("never") => Color::Never,
            _ => Color::Auto,
        };
        let color = match self.color.unwrap_or_else(of_environment) {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        let format = match self.message_format {
            Some(FormatOfMessages::Json) => MessageFormat::Json,
            Some(FormatOfMessages::Human) | None => MessageFormat::Human,
        };
        Shell::new(verbosity, color, format)
    }
}
