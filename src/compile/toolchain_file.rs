//! What CMake is told of the target (cmake-toolchains(7)). With the compilers alone, it looks for the target's libraries in the right
//! folders, but takes what pkg-config knows of this machine for theirs.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::fs::write_if_changed;

/// A file for `CMAKE_TOOLCHAIN_FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolchainFile {
    /// Where it is to be.
    pub path: PathBuf,
    text: String,
}

impl ToolchainFile {
    /// The file for a target, in a target folder.
    pub fn new(target_dir: &Path, triple: &str, c_compiler: &str, cpp_compiler: Option<&str>, pkg_config: &str) -> Self {
        let processor = match triple.split('-').next().unwrap_or_default() {
            "riscv64gc" => "riscv64",
            "powerpc64le" => "ppc64le",
            "thumbv7neon" => "armv7",
            other => other,
        };
        let cpp = cpp_compiler.map(|compiler| format!("set(CMAKE_CXX_COMPILER {compiler})\n")).unwrap_or_default();
        let text = format!(
            "set(CMAKE_SYSTEM_NAME Linux)\nset(CMAKE_SYSTEM_PROCESSOR {processor})\n\
             set(CMAKE_C_COMPILER {c_compiler})\n{cpp}set(ENV{{PKG_CONFIG_LIBDIR}} \"{pkg_config}\")\n"
        );
        Self { path: target_dir.join("appbundle/cmake").join(triple).with_extension("cmake"), text }
    }

    /// Writes it, unless it is there.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self) -> Result<()> {
        write_if_changed(&self.path, self.text.as_bytes()).map(drop)
    }
}
