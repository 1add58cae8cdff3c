//! What dependencies need beside Cargo: real crates of crates.io, each with the Debian packages that its build script really needs.

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitCode};

use serde_json::Value;
use support::harness::{self, test};
use support::machine::Machine;
use support::needs::{apt, arm64_rust, rustup};
use support::{Project, TRIPLE, appbundle, fails, ok, run, text};

/// A target whose libraries no machine of ours has.
const FOREIGN: &str = "riscv64gc-unknown-linux-gnu";

/// A service with these tables of dependencies, and a build script.
fn project(dependencies: &str, script: &str) -> Project {
    let project = Project::new(&["alpha"]);
    project.edit("services/alpha/Cargo.toml", |text| format!("{text}\n{dependencies}"));
    project.write("services/alpha/build.rs", &format!("fn main() {{ {script} }}\n"));
    project
}

/// What `doctor` finds for a target on a machine that has Cargo alone: each thing's state and packages.
fn found(project: &Project, target: &str, more: &[&str]) -> BTreeMap<String, (String, Vec<String>)> {
    let machine = Machine::new();
    let mut command = machine.doctor(project.path());
    let output = run(command.args(["--json", "--format", "docker", "--target", target]).args(more));
    let all: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", text(&output.stderr)));
    let words = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let one = |it: &Value| {
        let packages = it["packages"].as_array().into_iter().flatten().map(words).collect();
        (words(&it["what"]), (words(&it["state"]), packages))
    };
    all.as_array().expect("findings").iter().map(one).collect()
}

const CRATES: &str = "[dependencies]\nopenssl = \"0.10\"\nzmq = \"=0.9.2\"\ntss-esapi-sys = \"=0.5.0\"\nlibudev-sys = \"=0.1.4\"\n\
    glib-sys = \"=0.20.10\"\n\n[build-dependencies]\nprost-build = \"=0.13.5\"\nbindgen = \"=0.70.1\"\n";

const CALLS: &str = "prost_build::compile_protos(&[\"a.proto\"], &[\".\"]).unwrap(); bindgen::builder();";

const LIBRARIES: [(&str, &str); 5] = [
    ("library `openssl` for riscv64gc-unknown-linux-gnu", "libssl-dev:riscv64"),
    ("library `libzmq` for riscv64gc-unknown-linux-gnu", "libzmq3-dev:riscv64"),
    ("library `libudev` for riscv64gc-unknown-linux-gnu", "libudev-dev:riscv64"),
    ("library `glib-2.0`, library `gobject-2.0` for riscv64gc-unknown-linux-gnu", "libglib2.0-dev:riscv64"),
    (
        "library `tss2-esys`, library `tss2-mu`, library `tss2-sys`, library `tss2-tctildr` for riscv64gc-unknown-linux-gnu",
        "libtss2-dev:riscv64",
    ),
];

fn doctor_knows_what_real_crates_need() {
    let project = project(CRATES, CALLS);
    let found = found(&project, FOREIGN, &[]);
    for (what, package) in
        LIBRARIES.into_iter().chain([("program `protoc`", "protobuf-compiler"), ("program `pkg-config`", "pkg-config")])
    {
        let (state, packages) = found.get(what).unwrap_or_else(|| panic!("{what}: {found:#?}"));
        assert_eq!((state.as_str(), &packages[..]), ("missing", &[package.to_owned()][..]), "{what}");
    }
    // Clang's library is found without a program.
    let (state, packages) = &found["libclang"];
    assert!(state == "good" || packages[..] == ["libclang-dev"], "{state} {packages:?}");
    // One command installs all of it.
    let machine = Machine::new();
    let output = run(machine.doctor(project.path()).args(["--format", "docker", "--target", FOREIGN]));
    let said = text(&output.stderr);
    let line = said.lines().find(|line| line.starts_with("help: ")).unwrap_or_else(|| panic!("{said}"));
    assert!(
        line.starts_with("help: run `sudo dpkg --add-architecture riscv64 && sudo apt update && sudo apt install "),
        "{line}"
    );
    for (_, package) in LIBRARIES {
        assert!(line.contains(&format!(" {package}")), "{line}");
    }
    let output = run(machine.doctor(project.path()).args(["--format", "docker", "--target", FOREIGN, "--apt"]));
    assert!(output.status.success() && text(&output.stdout).lines().any(|line| line == "libzmq3-dev:riscv64"), "{output:?}");
    // With a variable by which a crate is told where its library is.
    let mut command = machine.doctor(project.path());
    let told =
        run(command.args(["--format", "docker", "--target", FOREIGN]).env("RISCV64GC_UNKNOWN_LINUX_GNU_OPENSSL_DIR", "/opt/ssl"));
    assert!(text(&told.stdout).contains("ok  library `openssl` for riscv64gc-unknown-linux-gnu: as `OPENSSL_DIR=/opt/ssl` says"));
}

/// The same packages, as apt itself knows them.
fn apt_knows_the_packages() {
    let project = project(CRATES, CALLS);
    let found = found(&project, FOREIGN, &[]);
    let packages: Vec<String> = found.into_values().flat_map(|(_, packages)| packages).collect();
    let names: Vec<&str> = packages.iter().filter_map(|package| package.split(':').next()).collect();
    assert!(names.len() > 7, "{names:?}");
    ok(Command::new("apt-cache").args(["show", "--no-all-versions"]).args(&names));
    ok(Command::new("apt-get").args(["install", "--simulate", "--quiet"]).args(&names));
}

/// What features, kinds and targets of dependencies leave out.
fn what_is_not_needed_is_not_told() {
    let crates = "[dependencies]\nopenssl = { version = \"0.10\", features = [\"vendored\"] }\nzmq = \"=0.10.0\"\n\
        rusqlite = { version = \"=0.32.1\", features = [\"bundled\"] }\n\n[dev-dependencies]\nlibudev-sys = \"=0.1.4\"\n\n\
        [target.'cfg(windows)'.dependencies]\nalsa-sys = \"=0.3.1\"\n\n\
        [build-dependencies]\nprost-build = \"=0.13.5\"\nprotoc-bin-vendored = \"=3.0.0\"\n";
    let project = project(crates, CALLS);
    project.service("tool", "");
    // A member that is no service.
    project.write(
        "services/tool/Cargo.toml",
        "[package]\nname = \"tool\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\ntss-esapi-sys = \"=0.5.0\"\n",
    );
    let found = found(&project, FOREIGN, &[]);
    let native: Vec<&String> =
        found.keys().filter(|what| what.starts_with("library") || what.starts_with("program") || what.contains("C++")).collect();
    assert_eq!(native, ["C++ compiler for riscv64gc-unknown-linux-gnu", "program `make`", "program `perl`"], "{found:#?}");
    assert_eq!(found["C++ compiler for riscv64gc-unknown-linux-gnu"].1, ["g++-riscv64-linux-gnu"]);
}

/// For build scripts, libraries are those of this machine.
fn build_scripts_need_libraries_of_this_machine() {
    let project = project("[build-dependencies]\nalsa-sys = \"=0.3.1\"\n", "");
    let found = found(&project, FOREIGN, &[]);
    let (state, packages) = &found["library `alsa` for this machine"];
    assert!(state == "good" || packages[..] == ["libasound2-dev"], "{state} {packages:?}");
}

/// A package of the workspace that reads the table of `system-deps`, and needs a library that no package has.
fn guess(project: &Project) {
    project.write(
        "own-sys/Cargo.toml",
        "[package]\nname = \"own-sys\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[package.metadata.system-deps]\nno-such-library = \"1\"\n\
         other = { name = \"no-such-other\", version = \"1\", feature = \"more\" }\n\n[features]\nmore = []\n",
    );
    project.write("own-sys/build.rs", "fn main() { let _ = \"system_deps::Config\"; }\n");
    project.write("own-sys/src/lib.rs", "");
    project
        .edit("services/alpha/Cargo.toml", |text| format!("{text}\n[dependencies]\nown-sys = {{ path = \"../../own-sys\" }}\n"));
    project.edit("Cargo.toml", |text| text.replace("\"services/*\"", "\"services/*\", \"own-sys\""));
}

/// A package of the workspace whose build script asks pkg-config itself, and another that does without.
fn doctor_reads_which_libraries_build_scripts_ask_pkg_config_for() {
    let script = "pkg_config::Config::new()\n        .atleast_version(\"2.1.0\")\n        .probe(\"tss2-esys\")\n        .unwrap();\n    \
        pkg_config::probe_library(\"tss2-mu\").expect(\"tss2-mu\"); // pkg_config::probe_library(\"alsa\").unwrap()";
    let project = project("[build-dependencies]\npkg-config = \"0.3\"\n", script);
    let needed = found(&project, FOREIGN, &[]);
    let what = "library `tss2-esys`, library `tss2-mu` for riscv64gc-unknown-linux-gnu";
    assert_eq!(needed[what], ("missing".to_owned(), vec!["libtss2-dev:riscv64".to_owned()]), "{needed:#?}");
    assert!(!needed.keys().any(|what| what.contains("alsa")), "{needed:#?}");
    project.write(
        "services/alpha/build.rs",
        "fn main() { if pkg_config::probe_library(\"tss2-esys\").is_err() { println!(\"cargo::warning=none\"); } }\n",
    );
    assert!(!found(&project, FOREIGN, &[]).keys().any(|what| what.contains("tss2")));
}

fn a_wrong_guess_is_a_note_and_stops_nothing() {
    let project = Project::new(&["alpha"]);
    guess(&project);
    let first = run(&mut appbundle(project.path(), &["build"]));
    let said = text(&first.stderr);
    assert!(first.status.success(), "{said}");
    let note = "note[native-missing]: needed for compiling, but not found: library `no-such-library` for aarch64-unknown-linux-gnu (by own-sys 0.1.0)";
    assert!(said.matches(note).count() == 1 && !said.contains("no-such-other"), "{said}");
    assert!(said.find("native-missing") < said.find("Compiling"), "before compiling: {said}");
    // What was compiled was there.
    let again = text(&run(&mut appbundle(project.path(), &["build"])).stderr);
    assert!(again.contains("Fresh") && !again.contains("native-missing"), "{again}");
    let doctor = ok(&mut appbundle(project.path(), &["doctor"]));
    assert!(doctor.contains("(no)  library `no-such-library`") && doctor.contains("may be needed by own-sys 0.1.0"), "{doctor}");
    project.edit("own-sys/Cargo.toml", |text| text.replace("more = []", "default = [\"more\"]\nmore = []"));
    let more = text(&run(&mut appbundle(project.path(), &["build"])).stderr);
    assert!(more.contains("no-such-other"), "{more}");
    project.edit("Cargo.toml", |text| text + "allow = [\"native-missing\"]\n");
    let allowed = text(&run(&mut appbundle(project.path(), &["build"])).stderr);
    assert!(!allowed.contains("native-missing") && allowed.contains("Fresh"), "{allowed}");
}

/// Told first, by every command, and by none as a note.
fn what_cargo_cannot_read_is_an_error() {
    let project = Project::new(&["alpha"]);
    let verbs: [&[&str]; 3] = [&["plan"], &["build"], &["doctor"]];
    let expect = |arguments: &[&str], words: &str| {
        for verb in verbs {
            let mut command = appbundle(project.path(), &[verb, arguments].concat());
            let said = fails(command.env_remove("RUSTUP_TOOLCHAIN").env("CARGO_NET_RETRY", "0"), 1);
            assert!(said.contains(words) && !said.contains("note") && !said.contains("Compiling"), "{verb:?}: {said}");
            assert!(!said.contains("Stack backtrace"), "{said}");
        }
    };
    expect(
        &["--locked"],
        "error[workspace-unreadable]: there is no `Cargo.lock`, and `--locked` forbids to write it\nhelp: run `cargo generate-lockfile`",
    );
    project.edit("services/alpha/Cargo.toml", |text| {
        format!("{text}\n[dependencies]\nmine = {{ git = \"file:///no/such/repository\" }}\n")
    });
    expect(&[], "error[dependency-missing]: failed to get the dependency `mine`: ");
    expect(&["--offline"], "help: run `cargo fetch` while the network can be reached");
    // Executables that were built elsewhere need none of it.
    std::fs::create_dir(project.path().join("bin")).expect("folder");
    let said = fails(&mut appbundle(project.path(), &["build", "--no-compile", "--bin-dir", "bin"]), 1);
    assert!(said.contains("has no executable `alpha`"), "{said}");
}

fn a_toolchain_that_is_not_installed_is_an_error() {
    let project = Project::new(&["alpha"]);
    project.write("rust-toolchain.toml", "[toolchain]\nchannel = \"no-such-toolchain\"\n");
    for verb in ["plan", "build", "doctor"] {
        let mut command = appbundle(project.path(), &[verb]);
        let said = fails(command.env_remove("RUSTUP_TOOLCHAIN").env("RUSTUP_AUTO_INSTALL", "0"), 1);
        let file = project.path().canonicalize().expect("there").join("rust-toolchain.toml");
        let words = format!(
            "error[toolchain-missing]: the toolchain `no-such-toolchain` is not installed, which `{}` names\n",
            file.display()
        );
        assert!(
            said.contains(&words) && said.contains("help: link it with `rustup toolchain link no-such-toolchain DIR`"),
            "{said}"
        );
    }
}

fn packages_are_checked_and_listed() {
    let project = Project::new(&["alpha"]);
    let listed = |packages: &str| {
        let root = project.text("Cargo.toml");
        let root = root.split("build.packages").next().expect("text");
        project.write("Cargo.toml", &format!("{root}build.packages = [{packages}]\n"));
    };
    listed("\"LibSSL\", \"libssl-dev:x86_64\", \"libssl-dev=1\", \"cmake\", \"cmake:native\", \"\"");
    let said = fails(&mut appbundle(project.path(), &["plan"]), 1);
    let line = project.text("Cargo.toml").lines().position(|line| line.starts_with("build.")).expect("line") + 1;
    for words in [
        "`LibSSL` is not the name of a Debian package, such as `libssl-dev`",
        "`x86_64` in `libssl-dev:x86_64` is not an architecture of Debian, such as `arm64`, and not `native`",
        "`libssl-dev=1` is not the name of a Debian package",
        "the package `cmake` is given twice",
        "`` is not the name of a Debian package",
        &format!("Cargo.toml:{line}:19"),
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    listed("\"libzmq3-dev\", \"no-such-tool\", \"libno-such-dev:native\", \"libno-such-dev:s390x\", \"base-files\"");
    let found = found(&project, FOREIGN, &[]);
    for package in ["libzmq3-dev:riscv64", "no-such-tool", "libno-such-dev", "libno-such-dev:s390x"] {
        assert_eq!(found[&format!("package {package}")], ("missing".to_owned(), vec![package.to_owned()]), "{found:#?}");
    }
    // What dpkg knows to be installed.
    let shown = text(&run(&mut appbundle(project.path(), &["doctor"])).stdout);
    assert!(shown.contains("ok  package base-files: installed") && shown.contains("MISSING  package no-such-tool"), "{shown}");
    // `cross` installs them in its container.
    let found = self::found(&project, FOREIGN, &["--builder", "cross"]);
    assert_eq!(found["package no-such-tool"].0, "good");
}

/// What `cross` is told to run in its container first.
fn told_to_cross(project: &Project, folder: &Path, variables: &[(&str, &str)]) -> (String, String) {
    let told = folder.join("told");
    let script =
        format!("#!/bin/sh\nprintf %s \"$CROSS_TARGET_AARCH64_UNKNOWN_LINUX_GNU_PRE_BUILD\" > {}\nexit 1\n", told.display());
    std::fs::write(folder.join("cross"), script).expect("written");
    ok(Command::new("chmod").arg("+x").arg(folder.join("cross")));
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").expect("PATH"));
    let mut command = appbundle(project.path(), &["build", "--builder", "cross", "--target", TRIPLE]);
    let said = text(&run(command.env("PATH", path).envs(variables.iter().copied())).stderr);
    (std::fs::read_to_string(told).unwrap_or_else(|e| panic!("{e}: {said}")), said)
}

fn cross_installs_the_packages_after_the_users_own_commands() {
    let project = Project::new(&["alpha"]);
    project
        .edit("Cargo.toml", |text| text + "build.packages = [\"libssl-dev\", \"protobuf-compiler\", \"libzmq3-dev:native\"]\n");
    let folder = tempfile::tempdir().expect("folder");
    let told = |variables: &[(&str, &str)]| told_to_cross(&project, folder.path(), variables);
    let own = "dpkg --add-architecture arm64 && apt-get update && apt-get install --assume-yes --no-install-recommends \
        libssl-dev:arm64 protobuf-compiler libzmq3-dev";
    assert_eq!(told(&[]).0, own);
    let name = "CROSS_TARGET_AARCH64_UNKNOWN_LINUX_GNU_PRE_BUILD";
    assert_eq!(told(&[("CROSS_BUILD_PRE_BUILD", "echo all")]).0, format!("echo all\n{own}"));
    project.write("Cross.toml", "[build]\npre-build = [\"echo build\"]\n");
    assert_eq!(told(&[]).0, format!("echo build\n{own}"));
    let written =
        "[build]\npre-build = [\"echo build\"]\n\n[target.aarch64-unknown-linux-gnu]\npre-build = [\"echo 1\", \"echo 2\"]\n";
    project.write("Cross.toml", written);
    assert_eq!(told(&[("CROSS_BUILD_PRE_BUILD", "echo all")]).0, format!("echo 1\necho 2\n{own}"));
    assert_eq!(told(&[(name, "echo mine")]).0, format!("echo mine\n{own}"));
    assert_eq!(project.text("Cross.toml"), written);
    project.write("other.toml", "[build]\npre-build = \"prepare.sh\"\n");
    project.write("prepare.sh", "#!/bin/sh\n");
    let (commands, said) = told(&[("CROSS_CONFIG", "other.toml")]);
    assert_eq!(commands, "");
    assert!(said.contains("note[native-missing]: `cross` runs the script \"prepare.sh\" before it compiles"), "{said}");
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(doctor_knows_what_real_crates_need),
        test!(apt_knows_the_packages, [apt]),
        test!(what_is_not_needed_is_not_told),
        test!(build_scripts_need_libraries_of_this_machine),
        test!(doctor_reads_which_libraries_build_scripts_ask_pkg_config_for),
        test!(a_wrong_guess_is_a_note_and_stops_nothing, [arm64_rust]),
        test!(what_cargo_cannot_read_is_an_error),
        test!(a_toolchain_that_is_not_installed_is_an_error, [rustup]),
        test!(packages_are_checked_and_listed, [apt]),
        test!(cross_installs_the_packages_after_the_users_own_commands),
    ])
}
