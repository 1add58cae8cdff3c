//! One tool: whether it is there, what it is for, and what is not to be had without it.

use serde::Serialize;

/// What was found of one tool.
#[derive(Debug, Serialize)]
pub struct ToolFinding {
    /// The tool.
    pub what: String,
    /// What it is for.
    pub purpose: &'static str,
    /// What happens without it.
    pub without: &'static str,
    /// Whether it is there.
    #[serde(flatten)]
    pub state: ToolState,
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
