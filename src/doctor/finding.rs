//! One tool: whether it is there, what it is for, and what is not to be had without it.

use std::borrow::Cow;

use serde::Serialize;

/// What was found of one tool.
#[derive(Debug, Serialize)]
pub struct ToolFinding {
    /// The tool.
    pub what: String,
    /// What it is for.
    pub purpose: Cow<'static, str>,
    /// What happens without it.
    pub without: Cow<'static, str>,
    /// The Debian packages with it, if it is missing and they are known, as apt takes them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<String>,
    /// Whether it is there.
    #[serde(flatten)]
    pub state: ToolState,
}

impl ToolFinding {
    /// Of a tool that no Debian package is known of, or that is no single one.
    pub fn new(
        what: impl Into<String>,
        purpose: impl Into<Cow<'static, str>>,
        without: impl Into<Cow<'static, str>>,
        state: ToolState,
    ) -> Self {
        Self { what: what.into(), purpose: purpose.into(), without: without.into(), packages: Vec::new(), state }
    }

    /// The same, with the packages that have it.
    #[must_use]
    pub fn of(self, packages: Vec<String>) -> Self {
        Self { packages, ..self }
    }

    /// Whether builds need it, and it is not there.
    pub fn is_missing(&self) -> bool {
        matches!(self.state, ToolState::Missing(_))
    }
}

/// Whether a tool is there.
#[derive(Debug, Serialize)]
#[serde(tag = "state", content = "detail", rename_all = "kebab-case")]
pub enum ToolState {
    /// It is: which one.
    Good(String),
    /// It is not, and a build needs none: how to get it.
    Optional(String),
    /// It is not, and a build needs it: how to get it.
    Missing(String),
}
