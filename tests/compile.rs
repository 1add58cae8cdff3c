//! One real Cargo run for all services, with the caller's own configuration kept.

mod support;

use std::path::Path;
use std::process::ExitCode;

use cargo_metadata::Message;
use cargo_metadata::diagnostic::Diagnostic;
use support::harness::{self, test};
use support::needs::{arm64_rust, docker};
use support::{Project, TRIPLE, appbundle, fails, judge, ok, run, text};

fn sections(project: &Project, profile: &str, bin: &str) -> String {
    let path = project.path().join(format!("target/{TRIPLE}/{profile}/{bin}"));
    judge("aarch64-linux-gnu-readelf", &["-S", "-p", ".comment", path.to_str().expect("path")])
}

/// The executable as it is packed.
fn packed(project: &Project, service: &str) -> String {
    format!("{}/target/appbundle/docker/{service}/rootfs/usr/local/bin/{service}", project.path().display())
}

fn services_are_cross_compiled_stripped_and_freshness_is_cargos() {
    let project = Project::new(&["alpha", "beta"]);
    let first = run(&mut appbundle(project.path(), &["build"]));
    let said = text(&first.stderr);
    assert!(first.status.success() && said.contains("Compiling alpha") && said.contains("Bundled"), "{said}");
    assert!(!judge("readelf", &["-S", &packed(&project, "alpha")]).contains(".symtab"));
    let second = text(&run(&mut appbundle(project.path(), &["build"])).stderr);
    assert!(second.contains("Finished") && second.contains("Fresh") && !second.contains("Compiling"), "{second}");
    project.write("services/beta/src/main.rs", "fn main() { println!(\"changed\"); }\n");
    let third = text(&run(&mut appbundle(project.path(), &["build"])).stderr);
    assert!(third.contains("Compiling beta") && !third.contains("Compiling alpha") && third.contains("Bundled"), "{third}");
}

fn what_the_caller_has_set_stays() {
    let project = Project::new(&["alpha"]);
    project.edit("Cargo.toml", |text| text + "\n[profile.small]\ninherits = \"release\"\nopt-level = \"s\"\nstrip = \"none\"\n");
    project.write(
        "services/alpha/src/main.rs",
        "fn main() { println!(\"{}\", if cfg!(of_config) { \"of config\" } else { \"lost\" }); }\n",
    );
    for config in [
        "[build]\nrustflags = [\"--cfg\", \"of_config\"]\n",
        "[build]\nrustflags = \"--cfg of_config\"\n",
        "[target.aarch64-unknown-linux-gnu]\nrustflags = [\"--cfg\", \"of_config\"]\nlinker = \"aarch64-linux-gnu-gcc\"\n",
    ] {
        project.write(".cargo/config.toml", config);
        ok(&mut appbundle(project.path(), &["build", "--profile", "small"]));
        let binary = project.path().join(format!("target/{TRIPLE}/small/alpha"));
        let bytes = std::fs::read(&binary).expect("binary");
        assert!(bytes.windows(9).any(|w| w == b"of config"), "{config}");
    }
    assert!(sections(&project, "small", "alpha").contains(".symtab"), "the profile wants its symbols");
}

/// Cargo's order: `--config`, then the environment, then files.
fn what_is_typed_is_stronger_than_the_environment() {
    let project = Project::new(&["alpha"]);
    project.write(".cargo/config.toml", "[target.aarch64-unknown-linux-gnu]\nlinker = \"/nowhere/file\"\n");
    let shown = |arguments: &[&str], variable: &str| {
        let mut command = appbundle(project.path(), &[&["doctor"], arguments].concat());
        command.envs((!variable.is_empty()).then_some(("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", variable)));
        let output = run(&mut command);
        text(&output.stdout) + &text(&output.stderr)
    };
    let typed = ["--config", "target.aarch64-unknown-linux-gnu.linker='/nowhere/typed'"];
    for (arguments, variable, wanted) in [
        (&typed[..], "/nowhere/variable", "/nowhere/typed"),
        (&[], "/nowhere/variable", "/nowhere/variable"),
        (&[], "", "/nowhere/file"),
    ] {
        let shown = shown(arguments, variable);
        assert!(shown.contains(wanted), "{wanted}: {shown}");
    }
}

fn a_compiler_error_ends_with_101_and_writes_nothing() {
    let project = Project::new(&["alpha"]);
    project.write("services/alpha/src/main.rs", "fn main() { nonsense }\n");
    let error = fails(&mut appbundle(project.path(), &["build"]), 101);
    assert!(error.contains("cannot find value `nonsense`") && error.contains("failed to compile the services"), "{error}");
    assert!(!project.path().join("target/appbundle").join("app.yml").exists());
    project.write("services/alpha/src/main.rs", "fn main() {}\n");
    project.write("services/alpha/build.rs", "fn main() { panic!(\"no C compiler\") }\n");
    let error = fails(&mut appbundle(project.path(), &["build"]), 101);
    assert!(
        error.contains("error[build-script]")
            && error.contains("the build script of `alpha v0.1.0")
            && error.contains("--no-compile --bin-dir"),
        "{error}"
    );
    std::fs::remove_file(project.path().join("services/alpha/build.rs")).expect("removed");
}

/// One message, before anything compiles: Cargo would show a page of the linker's first.
fn what_compiling_needs_is_looked_for_before_it_starts() {
    let project = Project::new(&["alpha"]);
    let linker = ["build", "--config", "target.aarch64-unknown-linux-gnu.linker='no-such-linker'"];
    let error = fails(&mut appbundle(project.path(), &linker), 1);
    assert!(
        error.starts_with("error[linker-missing]: the linker `no-such-linker` is not installed")
            && error.contains("apt install gcc-aarch64"),
        "{error}"
    );
    let error = fails(&mut appbundle(project.path(), &["build", "--format", "docker", "--target", "s390x-unknown-linux-gnu"]), 1);
    assert!(
        error.starts_with("error[std-missing]") && error.contains("run `rustup target add s390x-unknown-linux-gnu`"),
        "{error}"
    );
    // No linker has a name for this target, and Cargo would take this machine's.
    let tools = tempfile::tempdir().expect("folder");
    let path = std::env::var_os("PATH").expect("PATH");
    for tool in ["cargo", "rustc", "rustup", "cc"] {
        if let Some(found) = std::env::split_paths(&path).map(|folder| folder.join(tool)).find(|file| file.is_file()) {
            std::os::unix::fs::symlink(found, tools.path().join(tool)).expect("link");
        }
    }
    let error = fails(appbundle(project.path(), &["build"]).env("PATH", tools.path()), 1);
    assert!(error.starts_with("error[linker-missing]: there is no linker for `aarch64-unknown-linux-gnu`"), "{error}");
    assert!(!project.path().join("target").exists(), "nothing is compiled");
    // What flags of the compiler choose, only the compiler knows.
    let flags = ("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS", "-Clinker=nowhere");
    let error = fails(appbundle(project.path(), &["build"]).env("PATH", tools.path()).env(flags.0, flags.1), 101);
    assert!(error.contains("Compiling alpha"), "{error}");
}

fn this_machine_is_a_target_too() {
    let project = Project::new(&["alpha"]);
    let native = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let printed = ok(&mut appbundle(project.path(), &["build", "--target", &native, "--format", "docker,oci"]));
    for bundle in printed.lines() {
        ok(&mut appbundle(project.path(), &["verify", bundle]));
    }
}

fn docker_runs_what_was_built_for_this_machine() {
    let project = Project::named("native", &["alpha"]);
    let native = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let bundle = ok(&mut appbundle(project.path(), &["build", "--target", &native, "--format", "docker"]));
    judge("docker", &["load", "-i", bundle.trim()]);
    assert_eq!(judge("docker", &["run", "--rm", "com.example.native.alpha:1.2.3"]), "alpha\n");
}

/// Cargo's own reader takes Cargo's messages; the rest is ours.
fn messages_for_programs_are_lines_of_json() {
    let project = Project::new(&["alpha"]);
    let native = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let build = || {
        let arguments = ["build", "--format", "docker", "--target", &native, "--message-format", "json"];
        let output = run(&mut appbundle(project.path(), &arguments));
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let lines: Vec<serde_json::Value> = text(&output.stdout).lines().map(parse).collect();
        assert!(lines.iter().all(|line| line["reason"].is_string()), "{lines:?}");
        (output, lines)
    };
    let (output, lines) = build();
    assert!(output.status.success() && text(&output.stderr).contains("Bundled"), "{}", text(&output.stderr));
    let messages: Vec<Message> = Message::parse_stream(&output.stdout[..]).map(|message| message.expect("read")).collect();
    assert!(messages.iter().any(|m| matches!(m, Message::CompilerArtifact(artifact) if artifact.executable.is_some())));
    assert!(messages.iter().any(|message| matches!(message, Message::BuildFinished(finished) if finished.success)));
    let last = lines.last().expect("a line");
    assert!(last["reason"] == "appbundle-bundle" && Path::new(last["path"].as_str().expect("path")).is_file(), "{last}");

    project.write("services/alpha/build.rs", "fn main() { panic!(\"no C compiler\") }\n");
    let (output, lines) = build();
    assert_eq!(output.status.code(), Some(101));
    let message = &lines.last().expect("a line")["message"];
    let diagnostic: Diagnostic = serde_json::from_value(message.clone()).expect("rustc's form");
    assert!(diagnostic.message.starts_with("failed to compile the services for `"), "{diagnostic:?}");
    assert_eq!(diagnostic.code.map(|code| code.code).as_deref(), Some("build-script"));
    let [cause, help] = &diagnostic.children[..] else { panic!("{:?}", diagnostic.children) };
    assert!(
        cause.message.starts_with("the build script of `alpha v0.1.0") && help.message.contains("--bin-dir"),
        "{cause:?} {help:?}"
    );
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(services_are_cross_compiled_stripped_and_freshness_is_cargos, [arm64_rust]),
        test!(what_the_caller_has_set_stays, [arm64_rust]),
        test!(what_is_typed_is_stronger_than_the_environment),
        test!(a_compiler_error_ends_with_101_and_writes_nothing, [arm64_rust]),
        test!(what_compiling_needs_is_looked_for_before_it_starts, [arm64_rust]),
        test!(this_machine_is_a_target_too),
        test!(messages_for_programs_are_lines_of_json),
        test!(docker_runs_what_was_built_for_this_machine, [docker]),
    ])
}
