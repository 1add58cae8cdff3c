//! The compiler driver: Cargo itself, or a command that takes the same arguments in its place.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use super::linker;
use crate::app::Target;
use crate::diagnostic::Code;
use crate::plan::Builder;
use crate::process;
use crate::workspace::{CargoOptions, Workspace};

/// Where `cross` has the target folder and the workspace in its container.
const IN_CONTAINER: [&str; 2] = ["/target", "/project"];

/// The command up to its subcommand, and the value of `--target`, if any.
///
/// # Errors
/// When the program is not installed.
pub fn command(builder: Builder, cargo: &CargoOptions, target: Option<&Target>) -> Result<Command> {
    let mut command = match builder {
        Builder::Cargo => Command::new(&cargo.program),
        Builder::Cross => Command::new(found("cross", "cargo install cross --locked")?),
        Builder::Zigbuild => {
            found("cargo-zigbuild", "pip install cargo-zigbuild` or `cargo install cargo-zigbuild --locked")?;
            Command::new(&cargo.program)
        }
    };
    // The key signs after the compilation, whose build scripts and macros need not see it.
    command.env_remove(process::SIGN_KEY);
    command.arg(if builder == Builder::Zigbuild { "zigbuild" } else { "build" });
    if let Some(target) = target {
        let floor = target.glibc.map(|(major, minor)| format!(".{major}.{minor}")).unwrap_or_default();
        command.arg("--target").arg(format!("{}{floor}", target.triple));
    }
    Ok(command)
}

fn found(program: &str, help: &str) -> Result<PathBuf> {
    match linker::find(program) {
        Some(path) => Ok(path),
        None => bail!(
            Code::ToolsMissing
                .error(format!("the builder `{program}` is not installed\nhelp: run `{help}`, or build with `--builder cargo`"))
        ),
    }
}

/// Where an executable stands of which a builder tells: `cross` tells where it stands in its container.
pub fn on_this_machine(builder: Builder, path: PathBuf, workspace: &Workspace) -> PathBuf {
    if builder != Builder::Cross || path.exists() {
        return path;
    }
    let places = [&workspace.target_dir, &workspace.root];
    let moved = IN_CONTAINER.iter().zip(places).find_map(|(inside, here)| Some(here.join(path.strip_prefix(inside).ok()?)));
    moved.unwrap_or(path)
}

/// A package's identifier as Cargo has it on this machine: `cross` has the workspace elsewhere.
pub fn package_id(builder: Builder, id: &str, workspace: &Workspace) -> String {
    if builder == Builder::Cross {
        id.replace("file:///project", &format!("file://{}", workspace.root.display()))
    } else {
        id.to_owned()
    }
}

/// The version of a builder, `1.2.3`; `None` if it is not installed or prints none.
pub fn version(program: &Path, arguments: &[&str]) -> Option<semver::Version> {
    let text = process::capture(Command::new(program).args(arguments)).ok()?;
    text.split_whitespace().find_map(|word| semver::Version::parse(word).ok())
}

/// Known incompatibilities between a builder and a compiler, with a workaround.
pub fn bad_pair(builder: Builder, version: &semver::Version, rustc: &semver::Version, target: &Target) -> Option<String> {
    let of = semver::Version::new;
    // rust-lang/rust#155453 and rust-cross/cargo-zigbuild#452
    let passes_what_zig_rejects = target.triple.starts_with("aarch64") && *rustc >= of(1, 98, 0) && *version < of(0, 23, 0);
    (builder == Builder::Zigbuild && passes_what_zig_rejects).then(|| {
        format!(
            "cargo-zigbuild {version} cannot link the output of Rust {rustc} for aarch64 (`--fix-cortex-a53-843419`): run `cargo install cargo-zigbuild --locked` for 0.23.0 or later"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_that_do_not_work() {
        let target = Target::new("aarch64-unknown-linux-gnu").expect("target");
        let bad = |zig: &str, rust: &str| {
            bad_pair(Builder::Zigbuild, &zig.parse().expect("version"), &rust.parse().expect("version"), &target).is_some()
        };
        assert!(bad("0.22.3", "1.98.0") && !bad("0.23.0", "1.98.0") && !bad("0.22.3", "1.97.1"));
    }
}
