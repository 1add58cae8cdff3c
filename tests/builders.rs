//! Other compilers than Cargo with this machine's linker: `cargo zigbuild` and `cross`.

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use support::debian::root_file_system;
use support::harness::{self, test};
use support::needs::{arm64_rust, cargo_zigbuild, cross, docker, mmdebstrap};
use support::{Project, TRIPLE, appbundle, fails, judge, ok, toolchain};

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

const SERVICES: [&str; 2] = ["alpha", "beta"];

fn built(project: &Project) -> [PathBuf; 2] {
    SERVICES.map(|name| project.path().join("target").join(TRIPLE).join("release").join(name))
}

fn zig_links_for_an_older_glibc() {
    let project = Project::new(&SERVICES);
    let arguments = ["build", "--target", &format!("{TRIPLE}.2.28")];
    let error = fails(&mut appbundle(project.path(), &arguments), 1);
    assert!(error.contains("help: build with `--builder zigbuild`"), "{error}");
    let bundle = ok(appbundle(project.path(), &arguments).args(["--builder", "zigbuild"]));
    for binary in built(&project) {
        let (versions, header) = looked_at(&binary);
        assert!(header.contains("AArch64") && !versions.is_empty(), "{header}");
        assert!(versions.iter().all(|version| *version <= (2, 28)), "{}: {versions:?}", binary.display());
    }
    let debug = project.path().join("target/appbundle/debug/alpha.debug");
    assert!(judge("readelf", &["--notes", debug.to_str().expect("path")]).contains("Build ID: "), "zig asks for none by itself");
    ok(&mut appbundle(project.path(), &["verify", bundle.trim()]));
}

/// An image with the target's C tools, made from Debian's packages; with Debian's Rust, too, if that is what compiles. Gives its name.
fn image() -> String {
    let name = format!("appbundle-test-cross:{}", toolchain().unwrap_or("1"));
    if !judge("docker", &["images", "-q", &name]).trim().is_empty() {
        return name;
    }
    let mut include = "--include=gcc,libc6-dev,gcc-aarch64-linux-gnu,libc6-dev-arm64-cross,ca-certificates".to_owned();
    if toolchain().is_some() {
        include.push_str(",rustc-web,cargo-web,libstd-rust-web-dev:arm64");
    }
    let options = ["--variant=minbase", "--architectures=amd64,arm64", &include, "bookworm"];
    let rootfs = root_file_system(&options);
    let linker = "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc";
    let import = ["import", "--change", &format!("ENV {linker}"), rootfs.to_str().expect("path"), &name].map(str::to_owned);
    judge("docker", &import.each_ref().map(String::as_str));
    name
}

fn cross_compiles_in_a_container() {
    let project = Project::new(&SERVICES);
    let folder = tempfile::tempdir().expect("folder");
    // cross 0.2.5 does not see that the active toolchain is installed, and would have it updated.
    let rustup = judge("sh", &["-c", "command -v rustup"]);
    let script = format!("#!/bin/sh\ncase \"$2\" in add|install) ;; *) exec {} \"$@\" ;; esac\n", rustup.trim());
    let bin = folder.path().join("bin");
    std::fs::create_dir(&bin).expect("folder");
    std::fs::write(bin.join("rustup"), script).expect("written");
    ok(Command::new("chmod").arg("+x").arg(bin.join("rustup")));
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("PATH"));
    let mut command = appbundle(project.path(), &["build", "--builder", "cross"]);
    command
        .env("PATH", path)
        .env("CROSS_TARGET_AARCH64_UNKNOWN_LINUX_GNU_IMAGE", image())
        .env("CROSS_CONTAINER_IN_CONTAINER", "false");
    if toolchain().is_some() {
        // One that rustup did not install; the image has its own.
        command.env("CROSS_CUSTOM_TOOLCHAIN", "1");
    }
    let bundle = ok(&mut command);
    for binary in built(&project) {
        let (_, header) = looked_at(&binary);
        assert!(header.contains("AArch64"), "{header}");
    }
    ok(&mut appbundle(project.path(), &["verify", bundle.trim()]));
}

fn a_builder_that_is_not_there_is_told() {
    let project = Project::new(&SERVICES);
    let cargo = judge("sh", &["-c", "command -v cargo"]);
    let folder = tempfile::tempdir().expect("folder");
    let rustup = judge("sh", &["-c", "command -v rustc"]);
    for (program, path) in [("cargo", cargo), ("rustc", rustup)] {
        std::os::unix::fs::symlink(path.trim(), folder.path().join(program)).expect("link");
    }
    for (builder, help) in [("cross", "cargo install cross"), ("zigbuild", "pip install cargo-zigbuild")] {
        let mut command = appbundle(project.path(), &["build", "--builder", builder]);
        let error = fails(command.env("PATH", folder.path()), 1);
        assert!(error.contains("is not installed") && error.contains(help), "{error}");
    }
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(zig_links_for_an_older_glibc, [cargo_zigbuild, arm64_rust]),
        test!(cross_compiles_in_a_container, [docker, cross, mmdebstrap, arm64_rust]),
        test!(a_builder_that_is_not_there_is_told),
    ])
}
