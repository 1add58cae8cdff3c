//! Texts that are held against the files in `tests/golden`.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{repository, run, stderr, text};

/// What writes the files anew.
const REFRESH: &str = "SNAPSHOTS=overwrite cargo nextest run --test golden";

/// A folder of golden files, which one test writes alone.
pub struct Golden {
    folder: PathBuf,
    /// What stands for texts that differ from run to run.
    redacted: Vec<(String, String)>,
    seen: BTreeSet<PathBuf>,
    different: Vec<String>,
}

impl Golden {
    /// The folder of this name below `tests/golden`.
    pub fn new(name: &str) -> Self {
        let version = (format!("cargo-appbundle {}", env!("CARGO_PKG_VERSION")), "cargo-appbundle [VERSION]".to_owned());
        Self {
            folder: repository().join("tests/golden").join(name),
            redacted: vec![version],
            seen: BTreeSet::new(),
            different: Vec::new(),
        }
    }

    /// Shows `[NAME]` instead of a folder's path.
    pub fn redact(&mut self, folder: &Path, name: &str) {
        let real = folder.canonicalize().expect("there");
        self.redacted.extend([&*real, folder].map(|path| (path.display().to_string(), format!("[{name}]"))));
    }

    /// The text has to be what the file says.
    pub fn holds(&mut self, path: impl AsRef<Path>, actual: &str) {
        let file = self.folder.join(&path);
        self.seen.insert(path.as_ref().to_owned());
        let actual = self.redacted.iter().fold(actual.to_owned(), |text, (from, to)| text.replace(from, to));
        if is_refreshed() {
            std::fs::create_dir_all(file.parent().expect("folder")).expect("folders");
            std::fs::write(&file, &actual).expect("written");
        }
        let expected = snapbox::Data::read_from(&file, Some(snapbox::data::DataFormat::Text)).raw();
        let assert = snapbox::Assert::new().action(snapbox::assert::Action::Verify);
        if let Err(error) = assert.try_eq(Some(&path.as_ref().display()), actual.into(), expected) {
            self.different.push(error.to_string());
        }
    }

    /// The command has to print and say what the file has; gives its stdout.
    pub fn prints(&mut self, path: &str, command: &mut Command) -> String {
        let output = run(at_fixed_width(command));
        let (printed, said) = (text(&output.stdout), stderr(&output));
        let mut shown = printed.clone();
        for (name, more) in [("stderr", said), ("exit code", exit_code(&output))] {
            if !more.is_empty() {
                writeln!(shown, "--- {name}\n{}", more.trim_end()).expect("text");
            }
        }
        self.holds(path, &shown);
        printed
    }

    /// The command has to print this JSON, whatever else it says.
    pub fn prints_json(&mut self, path: &str, command: &mut Command) {
        let printed = text(&run(at_fixed_width(command)).stdout);
        let _: serde_json::Value = serde_json::from_str(&printed).expect("JSON");
        self.holds(path, &printed);
    }

    /// All was as the files say, and there are no others.
    pub fn end(mut self) {
        for entry in walkdir::WalkDir::new(&self.folder).into_iter().flatten().filter(|entry| entry.file_type().is_file()) {
            if self.seen.contains(entry.path().strip_prefix(&self.folder).expect("below")) {
                continue;
            }
            if is_refreshed() {
                std::fs::remove_file(entry.path()).expect("removed");
            } else {
                self.different.push(format!("`{}` is not written any more\n", entry.path().display()));
            }
        }
        assert!(
            self.different.is_empty(),
            "\n{}\nRefresh the golden files with `{REFRESH}`, and read the difference.\n",
            self.different.concat()
        );
    }
}

fn is_refreshed() -> bool {
    std::env::var("SNAPSHOTS").is_ok_and(|value| value == "overwrite")
}

/// The same text whatever the terminal, and whatever it can show.
fn at_fixed_width(command: &mut Command) -> &mut Command {
    for name in ["LINES", "CLICOLOR", "CLICOLOR_FORCE", "CARGO_TERM_COLOR"] {
        command.env_remove(name);
    }
    command.env("COLUMNS", "100").env("NO_COLOR", "1")
}

fn exit_code(output: &std::process::Output) -> String {
    let code = output.status.code().expect("it ended by itself");
    if code == 0 { String::new() } else { code.to_string() }
}
