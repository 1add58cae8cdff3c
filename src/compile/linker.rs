//! Finds the linker for a triple.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::settings::CargoSettings;

/// The usual names of a cross compiler driver for a triple, best first.
fn candidates(triple: &str) -> Vec<String> {
    let mut parts = triple.split('-');
    let cpu = parts.next().unwrap_or_default();
    let environment = parts.next_back().unwrap_or_default();
    let cpu = match cpu {
        "armv7" | "thumbv7neon" => "arm",
        cpu if cpu.starts_with("riscv64") => "riscv64",
        cpu => cpu,
    };
    ["gcc", "clang"].iter().map(|compiler| format!("{cpu}-linux-{environment}-{compiler}")).collect()
}

/// The Debian packages with the linker and C library for a triple.
pub fn debian_packages(triple: &str) -> Option<&'static str> {
    Some(match triple {
        "aarch64-unknown-linux-gnu" => "gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
        "armv7-unknown-linux-gnueabihf" => "gcc-arm-linux-gnueabihf libc6-dev-armhf-cross",
        "riscv64gc-unknown-linux-gnu" => "gcc-riscv64-linux-gnu libc6-dev-riscv64-cross",
        "x86_64-unknown-linux-gnu" => "gcc libc6-dev",
        _ => return None,
    })
}

/// Whether this machine can run executables of the triple, so that its `cc` can link them.
pub fn is_native(triple: &str) -> bool {
    triple.starts_with(std::env::consts::ARCH) && triple.contains(std::env::consts::OS) && triple.ends_with("-gnu")
}

/// The linker to configure; `None` if the user has set one or Cargo's default works.
pub fn own_choice(settings: &CargoSettings, triple: &str) -> Option<String> {
    if settings.has_for_target(triple, "linker") || is_native(triple) {
        return None;
    }
    candidates(triple).into_iter().find(|name| find(name).is_some())
}

/// The linker that Cargo will use.
pub fn used(settings: &CargoSettings, triple: &str) -> String {
    match settings.get(&["target", triple, "linker"]) {
        Some(toml::Value::String(linker)) => linker,
        _ => own_choice(settings, triple).unwrap_or_else(|| "cc".into()),
    }
}

/// Finds a program in `PATH`, or at its own path.
pub fn find(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|path| path.is_file());
    }
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// Whether the standard library for a triple is installed.
pub fn has_std(rustc: &Path, triple: &str) -> Option<bool> {
    let output = Command::new(rustc).args(["--print", "target-libdir", "--target", triple]).output().ok()?;
    if !output.status.success() {
        return Some(false);
    }
    let folder = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    let mut entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    Some(entries.any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_cross_compilers() {
        assert_eq!(candidates("aarch64-unknown-linux-gnu")[0], "aarch64-linux-gnu-gcc");
        assert_eq!(candidates("armv7-unknown-linux-gnueabihf")[0], "arm-linux-gnueabihf-gcc");
        assert_eq!(candidates("riscv64gc-unknown-linux-gnu")[0], "riscv64-linux-gnu-gcc");
    }
}
