//! The shared libraries of the workspace that services pack.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::app::Library;
use crate::diagnostic::Code;
use crate::elf::Elf;
use crate::plan::Plan;

/// The path of each library, by the name of its file.
pub type Libraries = BTreeMap<String, PathBuf>;

/// The libraries of a plan among what Cargo made.
///
/// # Errors
/// When it made none, as for targets without shared libraries.
pub fn found(plan: &Plan, of: impl Fn(&Library) -> Option<PathBuf>) -> Result<Libraries> {
    let mut found = Libraries::new();
    for library in plan.libraries() {
        let Some(path) = of(library) else {
            let triple = &plan.target.triple;
            let help = match triple.ends_with("-musl") {
                true => format!(
                    "\nhelp: executables for `{triple}` are static and load no libraries; add `\"-Ctarget-feature=-crt-static\"` to `rustflags` under `[target.{triple}]` in `.cargo/config.toml`, or build for another target"
                ),
                false => String::new(),
            };
            bail!(Code::LibraryMissing.error(format!(
                "cargo built no library `{}` of package `{}` for `{triple}`{help}",
                library.file, library.package
            )));
        };
        found.insert(library.file.clone(), path);
    }
    Ok(found)
}

/// The names under which executables are linked with libraries, by the names of their files, where they differ.
///
/// # Errors
/// When a library cannot be read.
pub fn sonames(libraries: &Libraries) -> Result<BTreeMap<String, String>> {
    let mut sonames = BTreeMap::new();
    for (file, path) in libraries {
        sonames.extend(Elf::read(path)?.soname.filter(|soname| soname != file).map(|soname| (file.clone(), soname)));
    }
    Ok(sonames)
}

/// Puts libraries where a plan packs them from.
///
/// # Errors
/// When one is for another machine than the plan's, or cannot be written.
pub fn place(plan: &Plan, libraries: &Libraries) -> Result<()> {
    for (file, path) in libraries {
        let machine = Elf::read(path)?.machine;
        if !plan.target.runs(machine) {
            let (triple, architecture) = (&plan.target.triple, &plan.target.platform.architecture);
            bail!(Code::BinaryMachine.error(format!(
                "the library `{}` is for {}, but the target `{triple}` is {architecture}\nhelp: build it with `cargo build --release --target {triple}`",
                path.display(),
                machine.name()
            )));
        }
        let to = plan.library_file(file);
        fs_err::create_dir_all(to.parent().unwrap_or(&plan.output))?;
        crate::fs::link(path, &to, true)?;
    }
    Ok(())
}
