//! What containers write, line by line, each with its service's name before it.

use std::collections::VecDeque;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use anstyle::{AnsiColor, Color, Style};

use crate::shell::Shell;

const COLORS: [AnsiColor; 6] =
    [AnsiColor::Cyan, AnsiColor::Yellow, AnsiColor::Green, AnsiColor::Magenta, AnsiColor::Blue, AnsiColor::BrightRed];

/// Bytes after which a line that does not end is shown.
const LONGEST: usize = 16 * 1024;

/// Lines that are kept, of all together.
const KEPT: usize = 2000;

type Kept = Arc<Mutex<VecDeque<String>>>;

/// Names and colours of services.
pub struct Output {
    names: Vec<String>,
    width: usize,
    shell: Shell,
    kept: Option<Kept>,
}

impl Output {
    /// Of these services.
    pub fn new(names: &[&str], shell: &Shell) -> Self {
        let width = names.iter().map(|name| name.len()).max().unwrap_or_default();
        Self { names: names.iter().map(|name| (*name).to_owned()).collect(), width, shell: shell.clone(), kept: None }
    }

    /// Of these services, and shown only when that is wished: see [`Output::show`].
    pub fn kept(names: &[&str], shell: &Shell) -> Self {
        Self { kept: Some(Kept::default()), ..Self::new(names, shell) }
    }

    /// Shows on stderr what was kept.
    pub fn show(&self) {
        let mut to = std::io::stderr().lock();
        for line in self.kept.iter().flat_map(|kept| std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner))) {
            let _ = writeln!(to, "{line}");
        }
    }

    /// Where one service writes to.
    pub fn of(&self, service: &str) -> Lines {
        let at = self.names.iter().position(|name| name == service).unwrap_or_default();
        let style =
            if self.shell.colored() { Style::new().fg_color(Some(Color::Ansi(COLORS[at % COLORS.len()]))) } else { Style::new() };
        let before = format!("{style}{service:width$} |{style:#} ", width = self.width);
        Lines { service: service.to_owned(), before, open: Vec::new(), shell: self.shell.clone(), kept: self.kept.clone() }
    }
}

/// One service's lines.
pub struct Lines {
    service: String,
    before: String,
    open: Vec<u8>,
    shell: Shell,
    kept: Option<Kept>,
}

impl Lines {
    /// Shows the lines that are whole.
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
