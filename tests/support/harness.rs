//! The harness of the test files whose tests need tools, such as Docker or skopeo.
//!
//! To add a test to such a file, write a plain function without `#[test]`, and name it in the list at the end of the file, with
//! what it needs (see [`needs`](super::needs)):
//!
//! ```text
//! fn main() -> ExitCode {
//!     harness::run(vec![test!(a_layout_is_read), test!(docker_loads_it, [docker, skopeo])])
//! }
//! ```
//!
//! A test whose needs are not met is ignored, and its listed name says what is missing: `[needs skopeo] docker_loads_it`. In CI it
//! fails instead. A function that is in no list is dead code, which the compiler reports.
//!
//! A new file of this kind needs an entry in Cargo.toml: `[[test]]` with its name and `harness = false`. A file whose tests need
//! nothing but Cargo and `cc` does without: it uses `#[test]`.
#![allow(dead_code, unused_imports, unused_macros, reason = "each test file uses its own part")]

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use super::needs::Need;

/// One test, and what it needs.
pub struct Test {
    /// The function's name.
    pub name: &'static str,
    /// The function.
    pub run: fn(),
    /// What has to be there.
    pub needs: &'static [Need],
}

/// `test!(name)`, or `test!(name, [docker, skopeo])` for one that needs something.
macro_rules! test {
    ($name:ident) => {
        test!($name, [])
    };
    ($name:ident, [$($need:expr),*]) => {
        $crate::support::harness::Test { name: stringify!($name), run: $name, needs: &[$($need),*] }
    };
}
pub(crate) use test;

/// Lists or runs the tests as Cargo and nextest ask for it.
pub fn run(tests: Vec<Test>) -> ExitCode {
    let arguments = Arguments::from_args();
    // nextest runs each test by its exact name after it has listed them all. What was there then must not be missing in silence now.
    let asked_for = arguments.exact && !arguments.list && !arguments.ignored;
    let may_ignore = !super::ci() && !asked_for;
    let trials = tests.into_iter().map(|test| test.trial(may_ignore)).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

impl Test {
    fn trial(self, may_ignore: bool) -> Trial {
        let missing: Vec<String> = self.needs.iter().filter_map(|need| need()).collect();
        if missing.is_empty() {
            let uses_tools = !self.needs.is_empty();
            return Trial::test(self.name, move || {
                if uses_tools {
                    super::names::keep();
                }
                (self.run)();
                Ok(())
            });
        }
        let reason = format!("needs {}", missing.join(", "));
        let message = reason.clone();
        let trial = Trial::test(self.name, move || Err(message.into()));
        if super::ci() { trial } else { trial.with_kind(reason).with_ignored_flag(may_ignore) }
    }
}
