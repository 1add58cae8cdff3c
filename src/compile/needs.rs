//! What compiling needs: looked for before Cargo starts, so that what is missing is one message.

use std::path::Path;

use anyhow::{Result, bail};

use super::linker::{self, LinkerFound};
use super::settings::CargoSettings;
use crate::diagnostic::Code;
use crate::plan::{Builder, Plan};
use crate::process::file_of_compiler;

/// Looks for the standard library and the linker of the plan's target.
///
/// # Errors
/// When one of them is certainly missing.
pub fn check(settings: &CargoSettings, plan: &Plan, target_dir: &Path) -> Result<()> {
    let triple = &plan.target.triple;
    // To ask the compiler takes time. What was compiled for the target before compiles again.
    let is_new = !linker::is_native(triple) && !target_dir.join(triple).exists();
    let has_own_std = plan.builder == Builder::Cross || settings.get(&["unstable", "build-std"]).is_some();
    if is_new && !has_own_std && linker::has_std(&settings.rustc(), triple) == Some(false) {
        bail!(Code::StdMissing.error(std_missing(triple)));
    }
    if plan.builder == Builder::Cargo
        && let LinkerFound::Missing { message, help } = linker::look(settings, triple)
    {
        bail!(Code::LinkerMissing.error(format!("{message}\nhelp: {help}")));
    }
    // Only of a compiler that was found by its name is it known that it answers this question.
    if is_new
        && plan.builder == Builder::Cargo
        && triple.contains("-gnu")
        && let Some(linker) = linker::own_choice(settings, triple)
        && let Some(install) = linker::install(triple)
        && file_of_compiler(&linker, "crt1.o").is_none()
    {
        bail!(
            Code::LinkerMissing
                .error(format!("`{linker}` has no C library, so it cannot link for `{triple}`\nhelp: run `{install}`"))
        );
    }
    Ok(())
}

/// The message where the standard library is missing.
pub fn std_missing(triple: &str) -> String {
    format!("the standard library for `{triple}` is not installed\nhelp: run `rustup target add {triple}`")
}
