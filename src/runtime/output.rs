//! Shows what containers write, line by line, prefixed with the service's name.

use std::collections::VecDeque;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use anstyle::{AnsiColor, Color, Style};

use crate::shell::Shell;

const COLORS: [AnsiColor; 6] =
    [AnsiColor::Cyan, AnsiColor::Yellow, AnsiColor::Green, AnsiColor::Magenta, AnsiColor::Blue, AnsiColor::BrightRed];

/// A line longer than this is shown before it ends.
const LONGEST: usize = 16 * 1024;

/// How many lines are kept, over all services.
const KEPT: usize = 2000;

type Kept = Arc<Mutex<VecDeque<String>>>;

/// Names and colours of the services.
pub struct Output {
    names: Vec<String>,
    width: usize,
    shell: Shell,
    kept: Option<Kept>,
}

impl Output {
    /// Shows the output of these services.
    pub fn new(names: &[&str], shell: &Shell) -> Self {
        let width = names.iter().map(|name| name.len()).max().unwrap_or_default();
        Self { names: names.iter().map(|name| (*name).to_owned()).collect(), width, shell: shell.clone(), kept: None }
    }

    /// Keeps the output of these services until [`Output::show`].
    pub fn kept(names: &[&str], shell: &Shell) -> Self {
        Self { kept: Some(Kept::default()), ..Self::new(names, shell) }
    }

    /// Prints the kept lines to stderr.
    pub fn show(&self) {
        let mut to = std::io::stderr().lock();
        for line in self.kept.iter().flat_map(|kept| std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner))) {
            let _ = writeln!(to, "{line}");
        }
    }

    /// The writer for one service's output.
    pub fn of(&self, service: &str) -> Lines {
        let at = self.names.iter().position(|name| name == service).unwrap_or_default();
        let style =
            if self.shell.colored() { Style::new().fg_color(Some(Color::Ansi(COLORS[at % COLORS.len()]))) } else { Style::new() };
        let before = format!("{style}{service:width$} |{style:#} ", width = self.width);
        Lines { service: service.to_owned(), before, open: Vec::new(), shell: self.shell.clone(), kept: self.kept.clone() }
    }
}

/// Splits one service's output into lines.
pub struct Lines {
    service: String,
    before: String,
    open: Vec<u8>,
    shell: Shell,
    kept: Option<Kept>,
}

impl Lines {
    /// Shows the complete lines.
    pub fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' || self.open.len() >= LONGEST {
                self.end();
            }
            if *byte != b'\n' {
                self.open.push(*byte);
            }
        }
    }

    fn end(&mut self) {
        let text = String::from_utf8_lossy(&self.open);
        let text = text.trim_end_matches('\r');
        let line = format!("{}{text}", self.before);
        if let Some(kept) = &self.kept {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() == KEPT {
                kept.pop_front();
            }
            kept.push_back(line);
        } else {
            self.shell.result("appbundle-output", serde_json::json!({ "service": self.service, "line": text }), line);
        }
        self.open.clear();
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if !self.open.is_empty() {
            self.end();
        }
    }
}
