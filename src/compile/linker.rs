//! Finds the linker for a triple.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::settings::CargoSettings;
use crate::apt::{self, Architecture};
use crate::process::capture;

/// The usual names of a triple's tools before their hyphen: `aarch64-linux-gnu`, as in `aarch64-linux-gnu-gcc`.
fn prefix(triple: &str) -> String {
    let mut parts = triple.split('-');
    let cpu = parts.next().unwrap_or_default();
    let environment = parts.next_back().unwrap_or_default();
    let cpu = match cpu {
        "armv7" | "thumbv7neon" => "arm",
        cpu if cpu.starts_with("riscv64") => "riscv64",
        cpu => cpu,
    };
    format!("{cpu}-linux-{environment}")
}

/// The cross compiler driver of a triple's C library that is installed: `aarch64-linux-gnu-gcc`.
pub fn driver(triple: &str) -> Option<String> {
    let prefix = prefix(triple);
    ["gcc", "clang"].into_iter().map(|compiler| format!("{prefix}-{compiler}")).find(|name| find(name).is_some())
}

/// The linker for musl. The standard library brings libc and start files along, so that any driver for the processor will do, or
/// none: the toolchain's own linker.
fn for_musl(settings: &CargoSettings, triple: &str) -> Option<String> {
    let own = driver(triple);
    // Debian's is a wrapper around the driver for glibc, and knows nothing of `-static-pie`. Whole toolchains have C++.
    let is_whole = find(&format!("{}-g++", prefix(triple))).is_some();
    if own.is_some() && is_whole {
        return own;
    }
    let is_own_processor = triple.split('-').next() == Some(std::env::consts::ARCH);
    if is_own_processor && find("cc").is_some() {
        return None;
    }
    let of_toolchain = || has_lld(&settings.rustc()).then(|| "rust-lld".to_owned());
    driver(&triple.replace("musl", "gnu")).or(own).or_else(of_toolchain)
}

/// The command that installs the linker and the C library for a triple on Debian and Ubuntu.
pub fn install(triple: &str) -> Option<String> {
    Some(apt::install_command(&debian_packages(triple)?))
}

/// The Debian packages with the linker for a triple, and with the C library that Rust's standard library does not bring along.
pub fn debian_packages(triple: &str) -> Option<Vec<String>> {
    let of_glibc = triple.replace("musl", "gnu");
    let architecture = Architecture::of_triple(&of_glibc)?;
    let is_own = Architecture::of_this_machine() == Some(architecture);
    let (driver, library) = if is_own {
        ("gcc".to_owned(), "libc6-dev".to_owned())
    } else {
        (format!("gcc-{}", architecture.tools.replace('_', "-")), format!("libc6-dev-{}-cross", architecture.name))
    };
    Some(if of_glibc == triple { vec![driver, library] } else { vec![driver] })
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
    let install = install(triple).map(|command| format!("run `{command}`"));
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
    if let Some(name) = own_choice(settings, triple) {
        // The toolchain's own linker is where only rustc looks.
        return LinkerFound::At(find(&name).unwrap_or_else(|| PathBuf::from(name)));
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
    if triple.contains("-musl") { for_musl(settings, triple) } else { driver(triple) }
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

/// Whether a compiler brings a linker along, as rustup's toolchains do.
fn has_lld(rustc: &Path) -> bool {
    let Ok(sysroot) = capture(Command::new(rustc).args(["--print", "sysroot"])) else { return false };
    let hosts = std::fs::read_dir(Path::new(sysroot.trim()).join("lib/rustlib")).into_iter().flatten().flatten();
    hosts.map(|host| host.path().join("bin/rust-lld")).any(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_cross_compilers() {
        assert_eq!(prefix("aarch64-unknown-linux-gnu"), "aarch64-linux-gnu");
        assert_eq!(prefix("armv7-unknown-linux-gnueabihf"), "arm-linux-gnueabihf");
        assert_eq!(prefix("riscv64gc-unknown-linux-gnu"), "riscv64-linux-gnu");
        assert_eq!(prefix("aarch64-unknown-linux-musl"), "aarch64-linux-musl");
    }

    #[test]
    fn packages_of_compilers() {
        let of = |triple: &str| debian_packages(triple).map(|packages| packages.join(" "));
        assert_eq!(of("armv7-unknown-linux-gnueabihf").as_deref(), Some("gcc-arm-linux-gnueabihf libc6-dev-armhf-cross"));
        assert_eq!(of("riscv64gc-unknown-linux-gnu").as_deref(), Some("gcc-riscv64-linux-gnu libc6-dev-riscv64-cross"));
        let own = std::env::consts::ARCH;
        assert_eq!(of(&format!("{own}-unknown-linux-gnu")).as_deref(), Some("gcc libc6-dev"));
        assert_eq!(of(&format!("{own}-unknown-linux-musl")).as_deref(), Some("gcc"));
        if own == "x86_64" {
            assert_eq!(of("aarch64-unknown-linux-gnu").as_deref(), Some("gcc-aarch64-linux-gnu libc6-dev-arm64-cross"));
            assert_eq!(of("aarch64-unknown-linux-musl").as_deref(), Some("gcc-aarch64-linux-gnu"));
        }
    }
}
