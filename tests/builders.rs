//! Other compilers than Cargo with this machine's linker: `cargo zigbuild` and `cross`.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::{TRIPLE, appbundle, engine, fails, judge, ok, repository, tool, toolchain};

fn example() -> PathBuf {
    repository().join("examples/photo-gallery")
}

/// The versions of glibc that an executable asks for, and its machine.
fn looked_at(binary: &Path) -> (Vec<(u32, u32)>, String) {
    let path = binary.to_str().expect("path");
    let symbols = judge("readelf", &["--version-info", "--wide", path]);
    let versions = symbols.split("GLIBC_").skip(1).filter_map(|rest| {
        let text: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        let (major, minor) = text.split_once('.')?;
        Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
    });
    (versions.collect(), judge("readelf", &["--file-header", path]))
}

fn built(folder: &Path) -> Vec<PathBuf> {
    ["camera-control", "gallery-service", "thumbnailer"]
        .iter()
        .map(|name| folder.join(TRIPLE).join("dev-small").join(name))
        .collect()
}

/// `--profile` of the example, quick to compile.
const PROFILE: [&str; 4] = ["--config", "profile.dev-small.inherits='dev'", "--profile", "dev-small"];

#[test]
fn zig_links_for_an_older_glibc() {
    if !tool("cargo-zigbuild") {
        return;
    }
    let folder = tempfile::tempdir().expect("folder");
    let target = folder.path().to_str().expect("path");
    let wanted = format!("{TRIPLE}.2.28");
    let mut arguments = vec!["build", "--locked", "--target-dir", target, "--target", &wanted];
    arguments.extend(PROFILE);
    let error = fails(&mut appbundle(&example(), &arguments), 1);
    assert!(error.contains("help: build with `--builder zigbuild`"), "{error}");
    arguments.extend(["--builder", "zigbuild"]);
    let bundle = ok(&mut appbundle(&example(), &arguments));
    for binary in built(folder.path()) {
        let (versions, header) = looked_at(&binary);
        assert!(header.contains("AArch64") && !versions.is_empty(), "{header}");
        assert!(versions.iter().all(|version| *version <= (2, 28)), "{}: {versions:?}", binary.display());
    }
    ok(&mut appbundle(folder.path(), &["verify", bundle.trim()]));
}

/// An image with the target's C tools, made from Debian's packages; with Debian's Rust, too, if that is what compiles. Gives its name.
fn image() -> String {
    let name = format!("appbundle-test-cross:{}", toolchain().unwrap_or("1"));
    if !judge("docker", &["images", "-q", &name]).trim().is_empty() {
        return name;
    }
    let folder = tempfile::tempdir().expect("folder");
    let rootfs = folder.path().join("rootfs.tar");
    let mut include = "--include=gcc,libc6-dev,gcc-aarch64-linux-gnu,libc6-dev-arm64-cross,ca-certificates".to_owned();
    if toolchain().is_some() {
        include.push_str(",rustc-web,cargo-web,libstd-rust-web-dev:arm64");
    }
    let options = ["--variant=minbase", "--architectures=amd64,arm64", &include, "bookworm"];
    ok(Command::new("mmdebstrap").args(options).arg(&rootfs));
    let linker = "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc";
    let import = ["import", "--change", &format!("ENV {linker}"), rootfs.to_str().expect("path"), &name].map(str::to_owned);
    judge("docker", &import.each_ref().map(String::as_str));
    name
}

#[test]
fn cross_compiles_in_a_container() {
    if !engine() || !tool("cross") || !tool("mmdebstrap") {
        return;
    }
    let folder = tempfile::tempdir().expect("folder");
    let target = folder.path().to_str().expect("path");
    let mut arguments = vec!["build", "--locked", "--target-dir", target, "--target", TRIPLE, "--builder", "cross"];
    arguments.extend(PROFILE);
    // cross 0.2.5 does not see that the active toolchain is installed, and would have it updated.
    let rustup = judge("sh", &["-c", "command -v rustup"]);
    let script = format!("#!/bin/sh\ncase \"$2\" in add|install) ;; *) exec {} \"$@\" ;; esac\n", rustup.trim());
    let bin = folder.path().join("bin");
    std::fs::create_dir(&bin).expect("folder");
    std::fs::write(bin.join("rustup"), script).expect("written");
    ok(Command::new("chmod").arg("+x").arg(bin.join("rustup")));
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("PATH"));
    let mut command = appbundle(&example(), &arguments);
    command
        .env("PATH", path)
        .env("CROSS_TARGET_AARCH64_UNKNOWN_LINUX_GNU_IMAGE", image())
        .env("CROSS_CONTAINER_IN_CONTAINER", "false");
    if toolchain().is_some() {
        // One that rustup did not install; the image has its own.
        command.env("CROSS_CUSTOM_TOOLCHAIN", "1");
    }
    let bundle = ok(&mut command);
    for binary in built(folder.path()) {
        let (_, header) = looked_at(&binary);
        assert!(header.contains("AArch64"), "{header}");
    }
    ok(&mut appbundle(folder.path(), &["verify", bundle.trim()]));
}

#[test]
fn a_builder_that_is_not_there_is_told() {
    let cargo = judge("sh", &["-c", "command -v cargo"]);
    let folder = tempfile::tempdir().expect("folder");
    let rustup = judge("sh", &["-c", "command -v rustc"]);
    for (program, path) in [("cargo", cargo), ("rustc", rustup)] {
        std::os::unix::fs::symlink(path.trim(), folder.path().join(program)).expect("link");
    }
    for (builder, help) in [("cross", "cargo install cross"), ("zigbuild", "pip install cargo-zigbuild")] {
        let mut command = appbundle(&example(), &["build", "--builder", builder]);
        let error = fails(command.env("PATH", folder.path()), 1);
        assert!(error.contains("is not installed") && error.contains(help), "{error}");
    }
}
