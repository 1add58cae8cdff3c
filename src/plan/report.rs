//! Reports problems with the keys of one table.

use crate::config::{Manifest, Problem, Problems, Step};
use crate::diagnostic::Code;

/// Reports problems with one table's keys, at their places in the manifest.
pub struct Report<'a> {
    pub manifest: &'a Manifest,
    pub path: &'a [Step<'a>],
    pub problems: &'a mut Problems,
}

impl Report<'_> {
    /// Returns the value, or reports the error at the key that `steps` leads to. The error's last line may be `help: …`.
    pub fn take<T>(&mut self, code: Code, steps: &[Step<'_>], value: Result<T, String>) -> Option<T> {
        match value {
            Ok(value) => Some(value),
            Err(message) => {
                self.wrong(code, steps, message);
                None
            }
        }
    }

    /// As [`Report::take`], of a value that is from a flag if there is one.
    pub fn take_from<T>(
        &mut self,
        flag: Option<&'static str>,
        code: Code,
        steps: &[Step<'_>],
        value: Result<T, String>,
    ) -> Option<T> {
        match (flag, value) {
            (Some(flag), Err(message)) => {
                self.problems.push(Problem::of_flag(code, flag, &message));
                None
            }
            (_, value) => self.take(code, steps, value),
        }
    }

    pub fn wrong(&mut self, code: Code, steps: &[Step<'_>], message: impl Into<String>) {
        let path: Vec<Step<'_>> = self.path.iter().copied().chain(steps.iter().copied()).collect();
        self.problems.push(self.manifest.problem(code, &path, message));
    }
}
