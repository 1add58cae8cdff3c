//! Static executables: musl from Rust's own standard library, on the base `scratch`.

mod support;

use std::process::ExitCode;

use support::harness::{self, test};
use support::needs::{arm64_musl, docker_arm64};
use support::{Project, appbundle, ci, has_std, judge, ok, run, text, toolchain};

const MUSL: &str = "aarch64-unknown-linux-musl";

fn project(app: &str) -> Project {
    let project = Project::named(app, &["alpha"]);
    project.edit("Cargo.toml", |text| format!("{text}targets = [\"{MUSL}\"]\nbase = \"scratch\"\n"));
    // A thread, a panic that is caught, and a name that is looked up: what start files and libc do for it.
    project.write(
        "services/alpha/src/main.rs",
        "use std::net::ToSocketAddrs as _;\n\nfn main() {\n    let panicked = std::thread::spawn(|| panic!(\"expected\")).join().is_err();\n    let found = \"127.0.0.1:80\".to_socket_addrs().is_ok();\n    println!(\"{panicked} {found}\");\n}\n",
    );
    project
}

/// Builds with these tools in `PATH`, and this more; gives what is said with `-v`.
fn built(project: &Project, app: &str, tools: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("folder");
    let path = std::env::var_os("PATH").expect("PATH");
    for tool in [&["cargo", "rustc", "rustup", "cc", "ld", "as", "collect2"], tools].concat() {
        if let Some(found) = std::env::split_paths(&path).map(|folder| folder.join(tool)).find(|file| file.is_file()) {
            std::os::unix::fs::symlink(found, folder.path().join(tool)).expect("link");
        }
    }
    let output = run(appbundle(project.path(), &["build", "-v", "--format", "docker"]).env("PATH", folder.path()));
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    let binary = project.path().join("target").join(MUSL).join("release/alpha");
    let headers = judge("aarch64-linux-gnu-readelf", &["-lh", binary.to_str().expect("path")]);
    assert!(headers.contains("AArch64") && !headers.contains("INTERP"), "{headers}");
    judge("docker", &["load", "-i", text(&output.stdout).trim()]);
    assert_eq!(judge("docker", &["run", "--rm", &format!("com.example.{app}.alpha:1.2.3")]), "true true\n");
    said
}

fn any_compiler_for_the_processor_links_for_musl() {
    let project = project("musl-gcc");
    let said = built(&project, "musl-gcc", &["aarch64-linux-gnu-gcc", "aarch64-linux-gnu-ld", "aarch64-linux-gnu-as"]);
    assert!(said.contains("Linking with `aarch64-linux-gnu-gcc`"), "{said}");
    // Debian's libraries are glibc's.
    assert!(!said.contains("PKG_CONFIG"), "{said}");
}

fn the_linker_of_the_toolchain_does_without_a_compiler() {
    let said = built(&project("musl-lld"), "musl-lld", &[]);
    assert!(said.contains("Linking with `rust-lld`"), "{said}");
}

/// Debian's `musl-dev` of the target has the compiler.
fn c_code_is_compiled_for_musl() {
    let project = project("musl-c");
    project.edit("services/alpha/Cargo.toml", |text| text + "\n[build-dependencies]\ncc = \"1\"\n");
    project.write("services/alpha/build.rs", "fn main() { cc::Build::new().file(\"a.c\").compile(\"a\"); }\n");
    project.write(
        "services/alpha/a.c",
        "#include <stdio.h>\n#ifdef __GLIBC__\n#error glibc\n#endif\nint said(void) { return printf(\"true \"); }\n",
    );
    project.write(
        "services/alpha/src/main.rs",
        "extern \"C\" {\n    fn said() -> i32;\n    fn fflush(stream: *const u8) -> i32;\n}\n\nfn main() {\n    let five = unsafe { said() };\n    unsafe { fflush(std::ptr::null()) };\n    println!(\"{}\", five == 5);\n}\n",
    );
    let tools = ["aarch64-linux-gnu-gcc", "aarch64-linux-gnu-ar", "aarch64-linux-musl-gcc", "sh"];
    let said = built(&project, "musl-c", &tools);
    assert!(said.contains("CC_aarch64_unknown_linux_musl=aarch64-linux-musl-gcc"), "{said}");
    // A wrapper around the compiler for glibc compiles, but is not what links.
    assert!(said.contains("Linking with `aarch64-linux-gnu-gcc`"), "{said}");
    assert!(ok(&mut appbundle(project.path(), &["doctor"])).contains("linker for aarch64-unknown-linux-musl"));
}

fn main() -> ExitCode {
    // The only need that Debian's packages do not meet: where rustup's servers are out of reach, CI does without these tests.
    if ci() && !has_std(toolchain(), MUSL) {
        return harness::run(Vec::new());
    }
    harness::run(vec![
        test!(any_compiler_for_the_processor_links_for_musl, [arm64_musl, docker_arm64]),
        test!(the_linker_of_the_toolchain_does_without_a_compiler, [arm64_musl, docker_arm64]),
        test!(c_code_is_compiled_for_musl, [arm64_musl, docker_arm64]),
    ])
}
