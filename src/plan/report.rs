//! Reports problems with the keys of one table.

use crate::config::{Manifest, Problems, Step};
use crate::diagnostic::Code;

/// Reports problems with one table's keys, at their places in the manifest.
pub struct Report<'a> {
    pub manifest: &'a Manifest,
    pub path: &'a [Step<'a>],
    pub problems: &'a mut Problems,
}

impl Report<'_> {
    /// Returns the value, or reports the error at the key that `steps` leads to.
    pub fn take<T>(&mut self, code: Code, steps: &[Step<'_>], value: Result<T, String>) -> Option<T> {
        match value {
            Ok(value) => Some(value),
            Err(message) => {
                self.wrong(code, steps, message);
                None
            }
        }
    }

    pub fn wrong(&mut self, code: Code, steps: &[Step<'_>], message: impl Into<String>) {
        let path: Vec<Step<'_>> = self.path.iter().copied().chain(steps.iter().copied()).collect();
        self.problems.push(self.manifest.problem(code, &path, message));
    }
}
