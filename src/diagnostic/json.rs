//! Diagnostics as rustc gives them with `--error-format json` (rustc book, "JSON Output").

use std::ops::Range;

use serde::Serialize;

use super::{Code, split_help};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "rustc's words")]
pub enum Severity {
    Error,
    Warning,
    Note,
    Help,
}

/// A diagnostic in rustc's form.
#[derive(Clone, Debug, Serialize)]
pub struct JsonDiagnostic {
    message: String,
    code: Option<JsonCode>,
    level: Severity,
    spans: Vec<JsonSpan>,
    children: Vec<Self>,
    rendered: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
struct JsonCode {
    code: &'static str,
    explanation: &'static str,
}

/// A place in a file. Lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, Serialize)]
pub struct JsonSpan {
    file_name: String,
    byte_start: usize,
    byte_end: usize,
    line_start: usize,
    line_end: usize,
    column_start: usize,
    column_end: usize,
    is_primary: bool,
    text: Vec<JsonLine>,
    label: Option<String>,
    suggested_replacement: Option<String>,
    suggestion_applicability: Option<&'static str>,
    expansion: Option<()>,
}

#[derive(Clone, Debug, Serialize)]
struct JsonLine {
    text: String,
    highlight_start: usize,
    highlight_end: usize,
}

impl JsonDiagnostic {
    /// Of a message, whose last line may be `help: …`.
    pub fn new(level: Severity, code: Option<Code>, message: &str) -> Self {
        let (message, help) = split_help(message);
        Self {
            message: message.to_owned(),
            code: code.map(|code| JsonCode { code: code.name(), explanation: code.explanation() }),
            level,
            spans: Vec::new(),
            children: help.into_iter().map(|help| Self::new(Severity::Help, None, help)).collect(),
            rendered: None,
        }
    }

    /// Of an error with all its causes, the outermost first; each cause becomes a note.
    pub fn of_error(code: Option<Code>, chain: impl IntoIterator<Item = String>) -> Self {
        let mut chain = chain.into_iter();
        let mut diagnostic = Self::new(Severity::Error, code, &chain.next().unwrap_or_default());
        for cause in chain {
            let Self { message, children, .. } = Self::new(Severity::Note, None, &cause);
            diagnostic.children.push(Self::new(Severity::Note, None, &message));
            diagnostic.children.extend(children);
        }
        diagnostic
    }

    /// With the place where it is.
    #[must_use]
    pub fn at(mut self, span: JsonSpan) -> Self {
        self.spans.push(span);
        self
    }

    /// With another one that belongs to it, such as help.
    #[must_use]
    pub fn child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// With the text for people.
    #[must_use]
    pub fn rendered(mut self, text: &str) -> Self {
        self.rendered = Some(format!("{text}\n"));
        self
    }
}

impl JsonSpan {
    /// The bytes `range` of a file with this text.
    pub fn primary(file_name: String, text: &str, range: &Range<usize>) -> Self {
        let (line_start, column_start) = place(text, range.start);
        let (line_end, column_end) = place(text, range.end);
        let lines = text.lines().enumerate().skip(line_start - 1).take(line_end + 1 - line_start);
        let lines = lines.map(|(at, line)| JsonLine {
            text: line.to_owned(),
            highlight_start: if at + 1 == line_start { column_start } else { 1 },
            highlight_end: if at + 1 == line_end { column_end } else { line.chars().count() + 1 },
        });
        Self {
            file_name,
            byte_start: range.start,
            byte_end: range.end,
            line_start,
            line_end,
            column_start,
            column_end,
            is_primary: true,
            text: lines.collect(),
            label: None,
            suggested_replacement: None,
            suggestion_applicability: None,
            expansion: None,
        }
    }

    /// With what probably should stand there.
    #[must_use]
    pub fn instead(mut self, text: &str) -> Self {
        self.suggested_replacement = Some(text.to_owned());
        self.suggestion_applicability = Some("MaybeIncorrect");
        self
    }
}

/// The line and the column of a byte.
fn place(text: &str, byte: usize) -> (usize, usize) {
    let before = &text[..byte];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let text = "a = 1\nä = \"ü\"\nb = 2\n";
        let start = text.find("\"ü\"").expect("there");
        let span = JsonSpan::primary("Cargo.toml".into(), text, &(start..start + "\"ü\"".len()));
        assert_eq!((span.line_start, span.column_start, span.line_end, span.column_end), (2, 5, 2, 8));
        assert_eq!((span.text[0].text.as_str(), span.text[0].highlight_start, span.text[0].highlight_end), ("ä = \"ü\"", 5, 8));
        let span = JsonSpan::primary("Cargo.toml".into(), text, &(0..text.len() - 1));
        assert_eq!((span.text.len(), span.text[0].highlight_end, span.text[2].highlight_end), (3, 6, 6));
    }

    #[test]
    fn help_and_causes_become_children() {
        let chain = ["failed to read `x`\nhelp: try again", "it is gone"].map(String::from);
        let diagnostic = JsonDiagnostic::of_error(None, chain);
        assert_eq!(diagnostic.message, "failed to read `x`");
        let children: Vec<_> = diagnostic.children.iter().map(|child| (child.level, child.message.as_str())).collect();
        assert_eq!(children, [(Severity::Help, "try again"), (Severity::Note, "it is gone")]);
    }
}
