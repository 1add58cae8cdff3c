//! Services that depend on C code and C libraries, cross-compiled without a setting.

mod support;

use std::process::ExitCode;

use support::harness::{self, test};
use support::needs::{arm64_c, arm64_rust, docker_arm64};
use support::{Project, TRIPLE, appbundle, fails, fixture, judge, ok, run, text};

/// The names of the variables that `plan -v` shows, and its lines.
fn set(project: &Project, variables: &[(&str, &str)], arguments: &[&str]) -> (Vec<String>, String) {
    let output = run(appbundle(project.path(), &[&["plan", "-v"], arguments].concat()).envs(variables.iter().copied()));
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    let lines = said.lines().filter_map(|line| line.trim_start().strip_prefix("Setting `"));
    (lines.filter_map(|line| line.split('=').next()).map(|name| name.replace("_aarch64_unknown_linux_gnu", "")).collect(), said)
}

/// A library of the target's packages, C, C++, bindgen, and CMake: compiled, packed, and run by an engine that we did not write.
fn c_dependencies_are_cross_compiled_and_run() {
    let workspace = fixture("c-dependencies");
    let bundle = ok(&mut appbundle(workspace.path(), &["build", "--locked", "--format", "docker"]));
    judge("docker", &["load", "-i", bundle.trim()]);
    for (service, printed) in
        [("tls", "OpenSSL 3\n"), ("zip", "zlib 1\n"), ("cpp", "C++ 7\n"), ("bound", "bindgen 16 1\n"), ("made", "CMake 1\n")]
    {
        let image = format!("com.example.c-dependencies.{service}:1.0.0");
        assert_eq!(judge("docker", &["run", "--rm", &image]), printed);
    }
    let again = text(&run(&mut appbundle(workspace.path(), &["build", "--locked", "--format", "docker"])).stderr);
    assert!(again.contains("Fresh") && !again.contains("Compiling"), "{again}");
}

fn a_plan_tells_what_is_set_for_the_target() {
    let project = Project::new(&["alpha"]);
    let (names, said) = set(&project, &[], &[]);
    let all =
        ["AR", "BINDGEN_EXTRA_CLANG_ARGS", "CC", "CMAKE_TOOLCHAIN_FILE", "CXX", "PKG_CONFIG_ALLOW_CROSS", "PKG_CONFIG_LIBDIR"];
    let sorted = |mut names: Vec<String>| {
        names.sort_unstable();
        names
    };
    assert_eq!(sorted(names), all, "{said}");
    for line in [
        "`CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc`, which compiles C for the target",
        "`AR_aarch64_unknown_linux_gnu=aarch64-linux-gnu-ar`",
        ":/usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig`",
        "Linking with `aarch64-linux-gnu-gcc`",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let (names, said) = set(&project, &[], &["--target", &format!("{}-unknown-linux-gnu", std::env::consts::ARCH)]);
    assert!(names.is_empty(), "{said}");

    let pkg_config = ["PKG_CONFIG_ALLOW_CROSS", "PKG_CONFIG_LIBDIR", "CMAKE_TOOLCHAIN_FILE"];
    for (variable, taken) in [
        ("CC_aarch64-unknown-linux-gnu", &["CC", "CMAKE_TOOLCHAIN_FILE"][..]),
        ("TARGET_CXX", &["CXX", "CMAKE_TOOLCHAIN_FILE"]),
        ("AR", &["AR"]),
        ("BINDGEN_EXTRA_CLANG_ARGS", &["BINDGEN_EXTRA_CLANG_ARGS"]),
        ("CMAKE_TOOLCHAIN_FILE_aarch64_unknown_linux_gnu", &["CMAKE_TOOLCHAIN_FILE"]),
        ("PKG_CONFIG_PATH", &pkg_config),
        ("PKG_CONFIG_SYSROOT_DIR_aarch64_unknown_linux_gnu", &pkg_config),
        ("PKG_CONFIG_ALLOW_CROSS", &["PKG_CONFIG_ALLOW_CROSS"]),
    ] {
        let left: Vec<&str> = all.into_iter().filter(|name| !taken.contains(name)).collect();
        let (names, said) = set(&project, &[(variable, "set")], &[]);
        assert_eq!(sorted(names), left, "{variable}: {said}");
        project.write(".cargo/config.toml", &format!("[env]\n{variable} = {{ value = \"set\", force = true }}\n"));
        let (names, said) = set(&project, &[], &[]);
        assert_eq!(sorted(names), left, "{variable}: {said}");
        project.write(".cargo/config.toml", "");
    }
}

/// A toolchain that is not Debian's has libraries of its own.
fn pkg_config_is_told_of_debians_toolchain_alone() {
    let project = Project::new(&["alpha"]);
    for (linker, is_told) in [("aarch64-linux-gnu-gcc", true), ("/usr/bin/aarch64-linux-gnu-gcc", true), ("/usr/bin/cc", false)] {
        project.write(".cargo/config.toml", &format!("[target.{TRIPLE}]\nlinker = \"{linker}\"\n"));
        let (names, said) = set(&project, &[], &[]);
        assert_eq!(names.iter().any(|name| name == "PKG_CONFIG_LIBDIR"), is_told, "{linker}: {said}");
    }
}

/// pkg-config, the linker and the compiler say it, through the crates that run them.
fn what_is_missing_is_named_with_its_package() {
    let project = Project::new(&["alpha"]);
    let packages = |names: &str| format!("sudo apt install {names}`");
    project.write("services/alpha/Cargo.toml", "[package]\nname = \"alpha\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[package.metadata.service]\n\n[build-dependencies]\npkg-config = \"0.3\"\n");
    project.write("services/alpha/build.rs", "fn main() { pkg_config::probe_library(\"tss2-sys\").unwrap(); }\n");
    let error = fails(&mut appbundle(project.path(), &["build"]), 101);
    assert!(error.contains("error[build-script]") && error.contains("`: `tss2-sys.pc` is missing\n"), "{error}");
    assert!(error.contains(&packages("libtss2-dev:arm64")) && !error.contains("gcc-aarch64-linux-gnu"), "{error}");

    project.write("services/alpha/build.rs", "fn main() { println!(\"cargo::rustc-link-lib=dylib=tss2-sys\"); }\n");
    let error = fails(&mut appbundle(project.path(), &["build"]), 101);
    assert!(error.contains("error[library-missing]") && error.contains("  `libtss2-sys.so` is missing\n"), "{error}");
    assert!(error.contains(&packages("libtss2-dev:arm64")), "{error}");

    // A tool that only this machine needs.
    let script = "fn main() { let failed = std::process::Command::new(\"s390x-linux-gnu-g++\").status().unwrap_err(); panic!(\"failed to find tool \\\"s390x-linux-gnu-g++\\\": {failed}\"); }\n";
    project.write("services/alpha/build.rs", script);
    let error = fails(&mut appbundle(project.path(), &["build"]), 101);
    assert!(error.contains(&packages("g++-s390x-linux-gnu")), "{error}");
    assert!(!project.path().join("target").join(TRIPLE).join("release/alpha").exists());
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(c_dependencies_are_cross_compiled_and_run, [arm64_rust, arm64_c, docker_arm64]),
        test!(a_plan_tells_what_is_set_for_the_target, [arm64_c]),
        test!(pkg_config_is_told_of_debians_toolchain_alone, [arm64_c]),
        test!(what_is_missing_is_named_with_its_package, [arm64_rust, arm64_c]),
    ])
}
