//! The conversation on stderr: Cargo's right-aligned verbs, notes, warnings, errors, and progress bars. And the result on stdout,
//! as text or as lines of JSON.

mod ink;
mod progress;
mod question;

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anstream::ColorChoice;
use anstyle::Style;
use indicatif::ProgressDrawTarget;
use serde::Serialize;

use crate::diagnostic::{self, Code, Diagnostic, JsonDiagnostic, Note, Severity};

use ink::{ERROR, NOTE, STATUS, WARNING};

pub use ink::Ink;
pub use progress::Progress;
pub use question::{ask_text, ask_yes, ask_yes_or_no};

/// How much is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Errors and warnings.
    Quiet,
    /// And what is being done.
    #[default]
    Normal,
    /// And commands and decisions.
    Verbose,
}

/// What stdout gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MessageFormat {
    /// The result as text.
    #[default]
    Human,
    /// Lines of JSON, each with a `reason`, as Cargo's are: the result, and all that is told on stderr as well.
    Json,
}

/// A line of JSON.
#[derive(Serialize)]
struct JsonMessage<'a, T> {
    reason: &'a str,
    #[serde(flatten)]
    value: T,
}

/// What rustc says of a diagnostic's kind, and the diagnostic.
#[derive(Serialize)]
struct JsonReport<'a> {
    #[serde(rename = "$message_type")]
    kind: &'a str,
    #[serde(flatten)]
    diagnostic: &'a JsonDiagnostic,
}

/// The terminal as the user sees it.
#[derive(Debug)]
pub struct Shell {
    verbosity: Verbosity,
    color: ColorChoice,
    format: MessageFormat,
    /// Whether a progress bar stands on the last line.
    busy: AtomicBool,
}

impl Clone for Shell {
    /// For another thread; it knows nothing of a progress bar of this one.
    fn clone(&self) -> Self {
        Self::new(self.verbosity, self.color, self.format)
    }
}

impl Shell {
    /// A shell of this verbosity; `color` as in Cargo's `--color`.
    pub fn new(verbosity: Verbosity, color: ColorChoice, format: MessageFormat) -> Self {
        Self { verbosity, color, format, busy: AtomicBool::new(false) }
    }

    /// Whether stdout gets lines of JSON.
    pub fn is_json(&self) -> bool {
        self.format == MessageFormat::Json
    }

    /// How much is said.
    pub fn verbosity(&self) -> Verbosity {
        self.verbosity
    }

    /// Whether stderr shows colours: what the user chose, else what the terminal can.
    pub fn colored(&self) -> bool {
        match self.color {
            ColorChoice::Auto => !matches!(anstream::AutoStream::choice(&std::io::stderr()), ColorChoice::Never),
            ColorChoice::Never => false,
            _ => true,
        }
    }

    /// Whether stderr is a terminal.
    pub fn is_terminal(&self) -> bool {
        std::io::stderr().is_terminal()
    }

    fn print(&self, text: std::fmt::Arguments<'_>) {
        let start = if self.busy.load(Ordering::Relaxed) { "\r\x1b[K" } else { "" };
        let text = format!("{text}\n");
        let text = if self.colored() { text } else { anstream::adapter::strip_str(&text).to_string() };
        // In one write: stdout is the same terminal, and has the lines of services. If stderr is closed, there is nowhere to report it.
        let _ = std::io::stderr().write_all(format!("{start}{text}").as_bytes());
    }

    /// `   Compiling …`: a step that began or ended.
    pub fn status(&self, verb: &str, message: impl std::fmt::Display) {
        if self.verbosity > Verbosity::Quiet {
            self.print(format_args!("{STATUS}{verb:>12}{STATUS:#} {message}"));
        }
    }

    /// A step worth knowing only to who asks with `-v`.
    pub fn detail(&self, verb: &str, message: impl std::fmt::Display) {
        if self.verbosity == Verbosity::Verbose {
            self.print(format_args!("{NOTE}{verb:>12}{NOTE:#} {message}"));
        }
    }

    /// What the user should know, without what is allowed, and with one line for services of which the same is said.
    pub fn notes(&self, notes: impl IntoIterator<Item = Note>, allowed: &[Code]) {
        let said = diagnostic::grouped(notes, allowed).into_iter().filter(|_| self.verbosity > Verbosity::Quiet);
        said.for_each(|note| self.tell(Severity::Note, Some(note.code), &note.to_string()));
    }

    /// Something the user should know, which no table can silence.
    pub fn note(&self, message: impl std::fmt::Display) {
        if self.verbosity > Verbosity::Quiet {
            self.tell(Severity::Note, None, &message.to_string());
        }
    }

    /// Something that is probably not as the user wants it.
    pub fn warning(&self, message: impl std::fmt::Display) {
        self.tell(Severity::Warning, None, &message.to_string());
    }

    fn tell(&self, severity: Severity, code: Option<Code>, message: &str) {
        let (style, word) = if severity == Severity::Note { (NOTE, "note") } else { (WARNING, "warning") };
        let word = code.map_or_else(|| word.to_owned(), |code| format!("{word}[{code}]"));
        self.print(format_args!("{style}{word}{style:#}: {message}"));
        self.diagnostic(|| JsonDiagnostic::new(severity, code, message).rendered(&format!("{word}: {message}")));
    }

    /// An error with all its causes, in Cargo's form, and with the code that it or a cause has.
    pub fn error(&self, error: &anyhow::Error) {
        let code = error.downcast_ref::<Diagnostic>().map(|diagnostic| diagnostic.code);
        let label = code.map_or_else(|| "error".to_owned(), |code| format!("error[{code}]"));
        let mut text = format!(": {error}");
        let causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
        if !causes.is_empty() {
            text.push_str("\n\nCaused by:");
            for cause in causes {
                text.push_str("\n  ");
                text.push_str(&cause.replace('\n', "\n  "));
            }
        }
        if let Some(more) = diagnostic::more(code) {
            text.push_str(&format!("\n\n{more}"));
        }
        self.print(format_args!("{ERROR}{label}{ERROR:#}{text}"));
        let chain = || error.chain().map(ToString::to_string);
        self.diagnostic(|| JsonDiagnostic::of_error(code, chain()).rendered(&format!("{label}{text}")));
    }

    /// A diagnostic that is on stderr already, on stdout as a line of JSON if that is wished.
    pub fn diagnostic(&self, of: impl FnOnce() -> JsonDiagnostic) {
        if self.is_json() {
            let report = JsonReport { kind: "diagnostic", diagnostic: &of() };
            self.line("appbundle-diagnostic", serde_json::json!({ "message": report }));
        }
    }

    /// A part of the result on stdout: the text, or the value as a line of JSON with this `reason`.
    pub fn result(&self, reason: &str, value: impl Serialize, text: impl std::fmt::Display) {
        if self.is_json() {
            self.line(reason, value);
        } else {
            let _ = writeln!(std::io::stdout().lock(), "{text}");
        }
    }

    /// The whole result on stdout: with `document`, which `--json` asks for, the value as one indented JSON document; else as
    /// [`Shell::result`].
    pub fn answer(
        &self,
        document: bool,
        reason: &str,
        value: impl Serialize,
        text: impl std::fmt::Display,
    ) -> anyhow::Result<()> {
        if document && !self.is_json() {
            return self.document(&value);
        }
        self.result(reason, value, text);
        Ok(())
    }

    /// An indented JSON document on stdout.
    pub fn document(&self, value: &impl Serialize) -> anyhow::Result<()> {
        let _ = writeln!(std::io::stdout().lock(), "{}", serde_json::to_string_pretty(value)?);
        Ok(())
    }

    /// A file that was written, as [`Shell::result`]: its path.
    pub fn result_path(&self, reason: &str, path: &Path) {
        self.result(reason, serde_json::json!({ "path": path.display().to_string() }), path.display());
    }

    /// A message of Cargo's on stdout, as it is.
    pub fn cargo_message(&self, message: &impl Serialize) -> anyhow::Result<()> {
        let _ = writeln!(std::io::stdout().lock(), "{}", serde_json::to_string(message)?);
        Ok(())
    }

    fn line(&self, reason: &str, value: impl Serialize) {
        match serde_json::to_string(&JsonMessage { reason, value }) {
            // If stdout is closed, there is nowhere to report it.
            Ok(line) => drop(writeln!(std::io::stdout().lock(), "{line}")),
            Err(error) => self.print(format_args!("{WARNING}warning{WARNING:#}: `{reason}` cannot be written as JSON: {error}")),
        }
    }

    /// A line of what a tool says that works for us, dimmed.
    pub fn output(&self, line: &str) {
        if self.verbosity > Verbosity::Quiet {
            let dimmed = Style::new().dimmed();
            self.print(format_args!("{:>12} {dimmed}{line}{dimmed:#}", "|"));
        }
    }

    /// Text that is formatted already.
    pub fn raw(&self, text: &str) {
        self.print(format_args!("{text}"));
    }

    /// A line with which a child tells what it does.
    pub fn step(&self, line: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.raw(line);
        }
    }

    /// The colours of stdout: what the user chose, else what the terminal can.
    pub fn ink(&self) -> Ink {
        Ink(match self.color {
            _ if self.is_json() => false,
            ColorChoice::Auto => !matches!(anstream::AutoStream::choice(&std::io::stdout()), ColorChoice::Never),
            ColorChoice::Never => false,
            _ => true,
        })
    }

    /// A bar that counts bytes; invisible when stderr is no terminal or the user wants quiet.
    pub fn progress(&self, verb: &str, total: u64) -> Progress<'_> {
        let shown = self.is_terminal() && self.verbosity > Verbosity::Quiet;
        let target = if shown { ProgressDrawTarget::stderr_with_hz(12) } else { ProgressDrawTarget::hidden() };
        self.busy.store(shown, Ordering::Relaxed);
        Progress::new(target, total, verb, &self.busy)
    }
}

/// The width of the terminal in characters: of stdout, or what `COLUMNS` says.
pub fn columns() -> Option<usize> {
    let of_terminal = || rustix::termios::tcgetwinsize(std::io::stdout()).ok().map(|size| usize::from(size.ws_col));
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    said.or_else(of_terminal).filter(|columns| *columns > 0)
}

/// How many there are of something: `1 image`, `2 images`.
pub fn count(number: usize, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

/// Bytes for people, in powers of 1024 as file managers show them.
pub fn bytes(count: u64) -> String {
    indicatif::HumanBytes(count).to_string()
}
