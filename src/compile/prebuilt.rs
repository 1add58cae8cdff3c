//! Executables and libraries that were built elsewhere.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::CompiledServices;
use crate::diagnostic::Code;
use crate::plan::Plan;

/// Finds what was built elsewhere: `DIR/BIN` for each service, and `DIR/libNAME.so` for each library.
///
/// # Errors
/// When files are missing; the error names all of them.
pub fn prebuilt(plan: &Plan, folder: &Path) -> Result<CompiledServices> {
    let folder = std::path::absolute(folder).context("failed to find the current folder")?;
    let mut found = CompiledServices::default();
    let (mut executables, mut libraries) = (Vec::new(), Vec::new());
    for (service, package) in plan.packages() {
        let path = folder.join(&package.bin);
        match path.is_file() {
            true => drop(found.executables.insert(service.name.to_string(), path)),
            false => executables.push(format!("`{}`", package.bin)),
        }
    }
    for library in plan.libraries() {
        let path = folder.join(&library.file);
        match path.is_file() {
            true => drop(found.libraries.insert(library.file.clone(), path)),
            false => libraries.push(format!("`{}`", library.file)),
        }
    }
    let missing: BTreeMap<&str, Vec<String>> = [("executable", executables), ("library", libraries)].into();
    let missing = missing.iter().filter(|(_, names)| !names.is_empty());
    let missing: Vec<String> = missing.map(|(what, names)| format!("no {what} {}", names.join(", "))).collect();
    if !missing.is_empty() {
        let text = format!("the folder of `--bin-dir`, `{}`, has {}", folder.display(), missing.join(" and "));
        bail!(Code::BinaryMissing.error(text));
    }
    Ok(found)
}
