//! Colours of what is printed to stdout.

use anstyle::{AnsiColor, Style};

pub(super) const STATUS: Style = AnsiColor::BrightGreen.on_default().bold();
pub(super) const WARNING: Style = AnsiColor::BrightYellow.on_default().bold();
pub(super) const ERROR: Style = AnsiColor::BrightRed.on_default().bold();
pub(super) const NOTE: Style = AnsiColor::BrightCyan.on_default().bold();

/// Colours words, or leaves them as they are where no colours are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Ink(pub(super) bool);

impl Ink {
    fn paint(self, style: Style, text: &str) -> String {
        if self.0 { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// What is as it should be.
    pub fn good(self, text: &str) -> String {
        self.paint(STATUS, text)
    }

    /// What may be wrong.
    pub fn warning(self, text: &str) -> String {
        self.paint(WARNING, text)
    }

    /// What is wrong.
    pub fn error(self, text: &str) -> String {
        self.paint(ERROR, text)
    }

    /// The title of a part.
    pub fn heading(self, text: &str) -> String {
        self.paint(NOTE, text)
    }

    /// What matters less than the rest.
    pub fn dim(self, text: &str) -> String {
        self.paint(Style::new().dimmed(), text)
    }
}
