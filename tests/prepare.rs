//! Commands of a workspace that run before Cargo.

mod support;

use support::{Project, appbundle, fails, ok, run, text};

fn native() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

/// A service that contains the file `made`, which the workspace's own command makes.
fn project(prepare: &str) -> Project {
    let project = Project::new(&["alpha"]);
    project.write("services/alpha/src/main.rs", "fn main() { print!(\"{}\", include_str!(\"../../../made\")); }\n");
    project.edit("Cargo.toml", |text| format!("{text}\n[workspace.metadata.appbundle.build]\nprepare = [{prepare}]\n"));
    project
}

fn built(project: &Project, more: &[&str]) -> String {
    let output = run(appbundle(project.path(), &["build", "--format", "docker", "--target", &native()]).args(more));
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout).lines().count(), 1, "stdout has the result alone");
    text(&output.stderr)
}

/// What the packed executable prints.
fn printed(project: &Project) -> String {
    let path = project.path().join("target/appbundle/docker/alpha/rootfs/usr/local/bin/alpha");
    ok(&mut std::process::Command::new(path))
}

#[test]
fn a_command_runs_before_cargo_and_is_seen() {
    let project = project("\"echo said; echo x >> runs; echo hello > made\"");
    let said = built(&project, &[]);
    let [command, output, cargo] =
        ["Preparing `echo said;", "\nsaid\n", "Compiling alpha"].map(|part| said.find(part).expect(part));
    assert!(command < output && output < cargo, "{said}");
    assert_eq!(printed(&project), "hello\n");
    built(&project, &[]);
    assert_eq!(project.text("runs"), "x\nx\n", "without inputs, it runs on every build");
    // What does not compile does not run it.
    for verb in ["plan", "generate", "doctor"] {
        run(&mut appbundle(project.path(), &[verb]));
    }
    std::fs::create_dir(project.path().join("bin")).expect("folder");
    std::fs::copy(project.path().join("target/appbundle/cache/stripped/alpha"), project.path().join("bin/alpha"))
        .expect("copied");
    ok(&mut appbundle(
        project.path(),
        &["build", "--format", "docker", "--target", &native(), "--no-compile", "--bin-dir", "bin"],
    ));
    assert_eq!(project.text("runs"), "x\nx\n");
    assert!(ok(&mut appbundle(project.path(), &["plan"])).contains("  prepares with `echo said;"));
}

#[test]
fn with_inputs_it_runs_after_a_change_alone() {
    let project = project(
        "{ run = \"echo x >> runs; cat keys/* > made\", inputs = [\"keys/**\"], outputs = [\"made\"] }, { run = \"echo y >> runs\", inputs = [\"made\"] }",
    );
    project.write("keys/one", "1\n");
    built(&project, &[]);
    assert!(!built(&project, &[]).contains("Preparing"));
    assert_eq!((project.text("runs").as_str(), printed(&project).as_str()), ("x\ny\n", "1\n"));
    project.write("keys/two", "2\n");
    built(&project, &[]);
    assert_eq!((project.text("runs").as_str(), printed(&project).as_str()), ("x\ny\nx\ny\n", "1\n2\n"));
    // Neither does what has the old content run the second, nor does a lost output stay lost.
    std::fs::remove_file(project.path().join("made")).expect("removed");
    built(&project, &[]);
    assert_eq!((project.text("runs").as_str(), printed(&project).as_str()), ("x\ny\nx\ny\nx\n", "1\n2\n"));
    std::fs::remove_file(project.path().join("keys/one")).expect("removed");
    built(&project, &[]);
    assert_eq!(printed(&project), "2\n");
}

#[test]
fn a_failure_stops_the_build_with_the_command() {
    for (prepare, message) in [
        ("\"echo why >&2; exit 7\", \"touch second\"", "the command `echo why >&2; exit 7` of `prepare` failed (exit status: 7)"),
        (
            "{ run = \"true\", inputs = [\"Cargo.toml\"], outputs = [\"made\"] }",
            "the command `true` of `prepare` did not write `made`",
        ),
        (
            "{ run = \"true\", inputs = [\"nothing/*\"] }",
            "no file matches `nothing/*`, which is in `inputs` of the command `true`",
        ),
    ] {
        let project = project(prepare);
        let error = fails(&mut appbundle(project.path(), &["build", "--format", "docker", "--target", &native()]), 1);
        assert!(error.contains(message) && !error.contains("Compiling"), "{error}");
        assert_eq!(error.contains("\nwhy\n"), prepare.contains("why"), "{error}");
        assert!(!project.path().join("second").exists());
        // A failed one is not taken for done.
        fails(&mut appbundle(project.path(), &["build", "--format", "docker", "--target", &native()]), 1);
    }
}

#[test]
fn mistakes_have_a_place() {
    for (prepare, place, message) in [
        ("\" \"", "11:12", "the command is empty"),
        ("{ run = \"x\", inputs = [\"a\", \"/etc/x\"] }", "11:40", "`/etc/x` is not a path in the workspace"),
        ("{ run = \"x\", inputs = [\"../x\"] }", "11:35", "`../x` is not a path in the workspace"),
        ("{ run = \"x\", inputs = [\"[a\"] }", "11:35", "`[a` is not a pattern"),
        ("{ run = \"x\", outputs = [\"a\"] }", "11:12", "`x` has `outputs`, but no `inputs`"),
        ("{ run = \"x\", input = [\"a\"] }", "11:25", "unknown key `input`"),
        ("{ inputs = [\"a\"] }", "11:12", "has no `run`"),
        ("7", "11:12", "`prepare` is an integer"),
    ] {
        let project = project(prepare);
        let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
        assert!(error.contains(message) && error.contains(&format!("Cargo.toml:{place}")), "{prepare}: {error}");
    }
}

/// A command may cross-compile by itself, with a Cargo of its own or with the C compiler of the target. What it writes can be packed, also
/// by the first build of a clone.
#[test]
fn a_command_knows_the_target_and_its_compilers() {
    let triple = support::TRIPLE;
    let project = Project::new(&["alpha"]);
    project.write(
        "services/plugin/Cargo.toml",
        "[package]\nname = \"plugin\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\n[lib]\ncrate-type = [\"cdylib\"]\n",
    );
    project.write("services/plugin/src/lib.rs", "#[unsafe(no_mangle)]\npub extern \"C\" fn plugin() {}\n");
    project.write("extra.c", "int extra(void) { return 1; }\n");
    project.edit("Cargo.toml", |text| {
        format!(
            "{text}\n[workspace.metadata.appbundle.build]\nprepare = [{{ run = \"cargo build --release --target $TARGET -p plugin\", \
             inputs = [\"services/plugin/**\"], outputs = [\"target/{triple}/release/libplugin.so\"] }}, \
             {{ run = \"mkdir -p out && $CC_aarch64_unknown_linux_gnu -shared -o out/libextra.so extra.c\", inputs = [\"extra.c\"], outputs = [\"out\"] }}]\n"
        )
    });
    let from = format!("../../target/{triple}/release/libplugin.so");
    let files =
        format!("files = [{{ from = \"{from}\", to = \"/usr/lib/\" }}, {{ from = \"../../out/**\", to = \"/usr/lib\" }}]\n");
    project.edit("services/alpha/Cargo.toml", |text| text + &files);
    let output = run(&mut appbundle(project.path(), &["build", "--format", "docker", "--target", triple]));
    assert!(output.status.success(), "{}", text(&output.stderr));
    for library in ["libplugin.so", "libextra.so"] {
        let packed = project.path().join("target/appbundle/docker/alpha/rootfs/usr/lib").join(library);
        let header = std::fs::read(packed).expect(library);
        // `e_machine` of AArch64 (ELF-64 object file format, table 5).
        assert_eq!(header.get(18..20), Some(&[183, 0][..]), "{library}");
    }
    // Without the commands, what they write is missing.
    std::fs::remove_dir_all(project.path().join("out")).expect("removed");
    let error = fails(&mut appbundle(project.path(), &["build", "--target", triple, "--no-compile", "--bin-dir", "bin"]), 1);
    assert!(error.contains("../../out/**"), "{error}");
}
