//! Problems in manifests, with their locations, and in flags.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::diagnostic::{self, Code, JsonDiagnostic, JsonSpan, Severity};

/// One problem.
#[derive(Clone, Debug)]
pub struct Problem {
    pub(super) file: PathBuf,
    pub(super) text: Arc<str>,
    pub(super) span: Range<usize>,
    pub(super) code: Code,
    pub(super) message: String,
    pub(super) help: Option<String>,
    /// The text that was probably meant.
    pub(super) instead: Option<String>,
    /// The flag that was wrong; then there is no place in a file.
    pub(super) flag: Option<&'static str>,
}

impl Problem {
    /// A problem with what a flag says. The message's last line may be `help: …`.
    pub fn of_flag(code: Code, flag: &'static str, message: &str) -> Self {
        let (message, help) = diagnostic::split_help(message);
        Self {
            file: PathBuf::new(),
            text: "".into(),
            span: 0..0,
            code,
            message: message.to_owned(),
            help: help.map(str::to_owned),
            instead: None,
            flag: Some(flag),
        }
    }

    /// How to fix it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds the text that was probably meant, as a replacement at the problem's location.
    #[must_use]
    pub(super) fn meant(self, near: &str, written: &str) -> Self {
        self.meant_as(&format!("did you mean `{near}`?"), written)
    }

    /// As [`Problem::meant`], with the help in other words.
    #[must_use]
    pub(super) fn meant_as(mut self, help: &str, written: &str) -> Self {
        self.instead = Some(written.to_owned());
        self.help(help)
    }

    pub(super) fn render(&self, styled: bool) -> String {
        let path = self.file.display().to_string();
        let title = Group::with_title(Level::ERROR.primary_title(self.message.as_str()).id(self.code.name()));
        let mut report: Group<'_> = match self.flag {
            Some(flag) => title.element(Origin::path(format!("from `{flag}`"))),
            None => {
                let snippet = Snippet::source(&*self.text).path(path);
                title.element(snippet.annotation(AnnotationKind::Primary.span(self.span.clone())))
            }
        };
        if let Some(help) = &self.help {
            report = report.element(Level::HELP.message(help.as_str()));
        }
        let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
        renderer.decor_style(DecorStyle::Ascii).render(&[report]).to_string()
    }

    /// Whether a flag is wrong, and not a manifest.
    pub fn is_in_flag(&self) -> bool {
        self.flag.is_some()
    }

    /// Converts the problem to a diagnostic in rustc's form.
    pub fn json(&self) -> JsonDiagnostic {
        let span = self.flag.is_none().then(|| JsonSpan::primary(self.file.display().to_string(), &self.text, &self.span));
        let mut diagnostic = JsonDiagnostic::new(Severity::Error, Some(self.code), &self.message);
        if let Some(flag) = self.flag {
            diagnostic = diagnostic.child(JsonDiagnostic::new(Severity::Note, None, &format!("from `{flag}`")));
        }
        if let Some(help) = &self.help {
            let help = JsonDiagnostic::new(Severity::Help, None, help);
            diagnostic = diagnostic.child(match (&self.instead, span.clone()) {
                (Some(instead), Some(span)) => help.at(span.instead(instead)),
                _ => help,
            });
        }
        if let Some(span) = span {
            diagnostic = diagnostic.at(span);
        }
        diagnostic.rendered(&self.render(false))
    }
}

impl From<Problem> for anyhow::Error {
    fn from(problem: Problem) -> Self {
        Problems(vec![problem]).into()
    }
}

/// All problems in all manifests.
#[derive(Clone, Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Adds a problem.
    pub fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// Whether there are no problems.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns `Err` if there are any problems.
    pub fn into_result(mut self) -> anyhow::Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        self.0.sort_by(|a, b| (&a.file, a.span.start).cmp(&(&b.file, b.span.start)));
        Err(self.into())
    }

    /// The problems as one text, followed by how to get an explanation.
    pub fn render(&self, styled: bool) -> String {
        let parts = self.0.iter().map(|problem| problem.render(styled));
        let more = diagnostic::more(self.0.iter().map(|problem| problem.code));
        parts.chain(more).collect::<Vec<_>>().join("\n\n")
    }

    /// One after another.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    /// The number of problems.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Problems {}
