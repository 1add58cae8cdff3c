//! The targets that rustc can compile for.

use std::path::Path;
use std::process::Command;

/// Targets of every rustc: for these, it need not be asked.
const USUAL: [&str; 8] = [
    "aarch64-unknown-linux-gnu",
    "aarch64-unknown-linux-musl",
    "armv7-unknown-linux-gnueabihf",
    "armv7-unknown-linux-musleabihf",
    "riscv64gc-unknown-linux-gnu",
    "riscv64gc-unknown-linux-musl",
    "x86_64-unknown-linux-gnu",
    "x86_64-unknown-linux-musl",
];

/// The targets among which a triple should have been, if rustc does not know it; `None` if it does, or cannot be asked.
///
/// The folder is that of the workspace, which may choose a toolchain.
pub fn instead_of(triple: &str, folder: &Path) -> Option<Vec<String>> {
    if USUAL.contains(&triple) || has_specification(triple) {
        return None;
    }
    let output = Command::new("rustc").args(["--print", "target-list"]).current_dir(folder).output().ok()?;
    let list = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    let known: Vec<String> = list.lines().filter(|line| line.contains("-linux-")).map(str::to_owned).collect();
    (!known.iter().any(|known| known == triple)).then_some(known)
}

/// Whether the user describes the target to rustc in a file of its own (rustc book, "Custom Targets").
fn has_specification(triple: &str) -> bool {
    let folders = std::env::var_os("RUST_TARGET_PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(format!("{triple}.json")).is_file())
}
