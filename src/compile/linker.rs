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

/// What is known of a triple's linker before anything is linked.
#[derive(Debug)]
pub enum LinkerFound {
    /// It is installed.
    At(PathBuf),
    /// Cargo's configuration or flags of the compiler choose it in a way that shows only when it links.
    Unknown,
    /// It is not installed, and what to do about it.
    Missing {
        /// What is missing.
        message: String,
        /// How to install it.
        help: String,
    },
}

/// Looks for the linker that Cargo will use.
pub fn look(settings: &CargoSettings, triple: &str) -> LinkerFound {
    let install = debian_packages(triple).map(|packages| format!("run `sudo apt install {packages}`"));
    if let Some(toml::Value::String(name)) = settings.get(&["target", triple, "linker"]) {
        return match find(&name) {
            Some(path) => LinkerFound::At(path),
            // Cargo takes it relative to the folder of its configuration.
            None if name.contains('/') && !name.starts_with('/') => LinkerFound::Unknown,
            None => LinkerFound::Missing {
                message: format!("the linker `{name}` is not installed, which Cargo's configuration names for `{triple}`"),
                help: install.map_or_else(
                    || format!("install `{name}`, or remove `linker` under `[target.{triple}]`"),
                    |install| format!("install `{name}`, or remove `linker` under `[target.{triple}]` and {install}"),
                ),
            },
        };
    }
    if let Some(path) = own_choice(settings, triple).and_then(|name| find(&name)) {
        return LinkerFound::At(path);
    }
    if settings.has_for_target(triple, "linker") || flags_choose(settings, triple) {
        return LinkerFound::Unknown;
    }
    let cpu = triple.split('-').next().unwrap_or_default();
    match (find("cc"), std::env::consts::ARCH) {
        (Some(path), own) if own == cpu => LinkerFound::At(path),
        // A compiler for both may be installed.
        (Some(_), "x86_64") if matches!(cpu, "i586" | "i686") => LinkerFound::Unknown,
        _ => LinkerFound::Missing {
            message: format!("there is no linker for `{triple}`"),
            help: install.unwrap_or_else(|| format!("set `linker` under `[target.{triple}]` in `.cargo/config.toml`")),
        },
    }
}

/// Whether flags of the compiler may name a linker.
fn flags_choose(settings: &CargoSettings, triple: &str) -> bool {
    let of_environment = ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"].map(|name| std::env::var(name).ok());
    let paths = [&["target", triple, "rustflags"][..], &["build", "rustflags"]];
    let of_files = paths.map(|path| settings.get(path).map(|value| value.to_string()));
    let by_cfg = of_files[0].is_none() && settings.has_for_target(triple, "rustflags");
    by_cfg || of_environment.into_iter().chain(of_files).flatten().any(|flags| flags.contains("linker"))
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
