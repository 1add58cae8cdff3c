//! Resolves the `build` key: what compiling needs beside Cargo.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::report::Report;
use crate::app::BuildPackage;
use crate::config::Step;
use crate::config::tables::{CompilationTable, PrepareTable, PrepareValue};
use crate::diagnostic::Code;

/// What compiling needs beside Cargo.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Compilation {
    /// Debian packages.
    pub packages: Vec<BuildPackage>,
    /// Commands that run before Cargo.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prepare: Vec<Preparation>,
}

/// A command that runs before Cargo, with paths relative to the workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Preparation {
    /// The line for the shell.
    pub run: String,
    /// Patterns of the files that it reads; if empty, it runs on every build.
    pub inputs: Vec<String>,
    /// What exists after it.
    pub outputs: Vec<String>,
}

impl Compilation {
    /// Whether nothing is set.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The absolute paths of what its commands say that they write.
    pub fn outputs(&self, workspace: &Path) -> Vec<PathBuf> {
        self.prepare.iter().flat_map(|preparation| &preparation.outputs).map(|output| workspace.join(output)).collect()
    }
}

/// Checks each name and each command.
pub fn resolve(table: &CompilationTable, report: &mut Report<'_>) -> Compilation {
    let mut packages: Vec<BuildPackage> = Vec::new();
    for (at, text) in table.packages.iter().enumerate() {
        let place = [Step::Key("build"), Step::Key("packages"), Step::Index(at)];
        let Some(package) = report.take(Code::InvalidValue, &place, BuildPackage::parse(text)) else { continue };
        if packages.contains(&package) {
            report.wrong(Code::InvalidValue, &place, format!("the package `{package}` is given twice"));
        } else {
            packages.push(package);
        }
    }
    let prepare = table.prepare.iter().enumerate().filter_map(|(at, value)| preparation(value, at, report)).collect();
    Compilation { packages, prepare }
}

fn preparation(value: &PrepareValue, at: usize, report: &mut Report<'_>) -> Option<Preparation> {
    let place = [Step::Key("build"), Step::Key("prepare"), Step::Index(at)];
    let (run, inputs, outputs) = match value {
        PrepareValue::Always(run) => (run, Vec::new(), Vec::new()),
        PrepareValue::Table(PrepareTable { run, inputs, outputs }) => (run, inputs.clone(), outputs.clone()),
    };
    if run.trim().is_empty() {
        report.wrong(Code::InvalidValue, &place, "the command is empty");
        return None;
    }
    if inputs.is_empty() && !outputs.is_empty() {
        report.wrong(Code::MissingKey, &place, format!("`{run}` has `outputs`, but no `inputs`: it would run on every build"));
    }
    for (key, paths) in [("inputs", &inputs), ("outputs", &outputs)] {
        for (index, path) in paths.iter().enumerate() {
            let steps = [place[0], place[1], place[2], Step::Key(key), Step::Index(index)];
            if path.is_empty() || path.starts_with('/') || path.split('/').any(|part| part == "..") {
                report.wrong(Code::InvalidValue, &steps, format!("`{path}` is not a path in the workspace"));
            } else if let Err(error) = globset::Glob::new(path) {
                report.wrong(Code::InvalidValue, &steps, format!("`{path}` is not a pattern: {}", error.kind()));
            }
        }
    }
    Some(Preparation { run: run.clone(), inputs, outputs })
}
