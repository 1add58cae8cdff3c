//! What users are told is wrong: errors with stable codes, a page of explanation for each code, and rustc's JSON.

mod code;
mod json;
mod note;

use std::fmt;

pub use code::Code;
pub use json::{JsonDiagnostic, JsonSpan, Severity};
pub use note::{Note, grouped};

/// An error with a code. `anyhow` carries it, below whatever context is added.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// By which it is explained.
    pub code: Code,
    message: String,
}

impl Code {
    /// An error with this code. The message's last line may be `help: …`.
    pub fn error(self, message: impl Into<String>) -> Diagnostic {
        Diagnostic { code: self, message: message.into() }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Diagnostic {}

/// Splits an error's text into the message and what stands behind its `help:`.
pub fn split_help(text: &str) -> (&str, Option<&str>) {
    text.split_once("\nhelp: ").map_or((text, None), |(message, help)| (message, Some(help)))
}

/// What is said after errors with these codes; nothing if they have none.
pub fn more(codes: impl IntoIterator<Item = Code>) -> Option<String> {
    let mut codes: Vec<Code> = codes.into_iter().collect();
    codes.sort_unstable();
    codes.dedup();
    match codes[..] {
        [] => None,
        [code] => Some(format!("For more about this error, run `cargo appbundle explain {code}`.")),
        [first, ..] => Some(format!(
            "For more about an error, run `cargo appbundle explain CODE`, such as `cargo appbundle explain {first}`."
        )),
    }
}
