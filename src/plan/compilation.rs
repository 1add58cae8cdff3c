//! Resolves the `build` key: what compiling needs beside Cargo.

use serde::Serialize;

use super::report::Report;
use crate::app::BuildPackage;
use crate::config::Step;
use crate::config::tables::CompilationTable;
use crate::diagnostic::Code;

/// What compiling needs beside Cargo.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Compilation {
    /// Debian packages.
    pub packages: Vec<BuildPackage>,
}

impl Compilation {
    /// Whether nothing is set.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Checks each name.
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
    Compilation { packages }
}
