//! What is printed and generated, held against the files in `tests/golden`.
//!
//! `SNAPSHOTS=overwrite cargo nextest run --test golden` writes them anew.

#[path = "support/forge.rs"]
mod forge;
mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use forge::{Forge, member};
use support::golden::Golden;
use support::harness::{self, test};
use support::machine::{EM_AARCH64, EM_X86_64, Machine};
use support::needs::arm64_rust;
use support::swarm::{STACKS, member as stack_member, shop};
use support::{DESTINATIONS, Project, appbundle, fixture, ok, repository, run, stderr, text};

/// Generates files, and compares all that is written and said.
fn generated(golden: &mut Golden, folder: &Path, commands: &[&[&str]]) {
    golden.redact(folder, "WORKSPACE");
    let top = folder.canonicalize().expect("there").join("target/appbundle");
    let mut notes: Vec<String> = Vec::new();
    for arguments in commands {
        let output = run(appbundle(folder, arguments).args(["--color", "never"]));
        assert!(output.status.success(), "{}", text(&output.stderr));
        for line in text(&output.stdout).lines() {
            let path = Path::new(line).strip_prefix(&top).expect("in the output folder");
            golden.holds(path, &std::fs::read_to_string(line).expect("readable"));
        }
        for note in text(&output.stderr).lines().filter(|line| line.starts_with("note")).map(|line| format!("{line}\n")) {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    golden.holds("notes.txt", &notes.concat());
}

fn what_is_generated_for_the_example() {
    let mut golden = Golden::new("photo-gallery");
    generated(&mut golden, &repository().join("examples/photo-gallery"), &[&["generate"], &["generate", "--for", DESTINATIONS]]);
    golden.end();
}

fn what_is_generated_for_a_workspace_with_every_key() {
    let folder = every_key();
    let mut golden = Golden::new("every-key");
    generated(&mut golden, folder.path(), &[&["generate"], &["generate", "--for", DESTINATIONS]]);
    // `build` writes the same Dockerfiles, and all that they copy.
    ok(&mut build(folder.path(), &["--format", "docker"]));
    context(&mut golden, "docker", folder.path());
    golden.end();
}

/// A shop with a stack of orders that a service of it controls, and that confines what runs.
fn what_is_generated_for_stacks() {
    let for_stacks: &[&[&str]] = &[&["generate", "--for", "stacks"]];
    let mut golden = Golden::new("shop");
    generated(&mut golden, shop(STACKS).path(), for_stacks);
    golden.end();
    let project = shop(&STACKS.replace("services = [\"api\", \"store\"]", "services = [\"api\", \"store\"]\nstack-image = true"));
    project
        .edit("Cargo.toml", |text| text.replace("stacks = [\"orders\"]", "stacks = [\"orders\"]\nservices = [\"orders-stack\"]"));
    project.service("orders-stack", "controls = \"orders\"\n");
    let confined = "init = true\ncap-add = [\"NET_ADMIN\"]\ncap-drop = [\"NET_RAW\"]\nread-only = true\ntmpfs = [\"/tmp\"]\n";
    let more =
        "resources = { memory-limit = \"64Mi\" }\nhealthcheck = { command = [\"/member\", \"--check\"], interval = \"1s\" }\n";
    stack_member(&project, "store", 8002, &format!("{confined}{more}"));
    let mut golden = Golden::new("controlled-shop");
    generated(&mut golden, project.path(), for_stacks);
    golden.end();
}

/// An executable for x86-64 that needs no library. It has the same bytes wherever it is made, unlike what a compiler makes.
fn executable(name: &str) -> Vec<u8> {
    let size = 64 + 56 + name.len() as u64;
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let half = |bytes: &mut Vec<u8>, values: &[u16]| values.iter().for_each(|value| bytes.extend(value.to_le_bytes()));
    let word = |bytes: &mut Vec<u8>, values: &[u32]| values.iter().for_each(|value| bytes.extend(value.to_le_bytes()));
    let wide = |bytes: &mut Vec<u8>, values: &[u64]| values.iter().for_each(|value| bytes.extend(value.to_le_bytes()));
    // The header: an executable for x86-64, its entry, and one program header behind this one.
    half(&mut bytes, &[2, 62]);
    word(&mut bytes, &[1]);
    wide(&mut bytes, &[0x40_0078, 64, 0]);
    word(&mut bytes, &[0]);
    half(&mut bytes, &[64, 56, 1, 0, 0, 0]);
    // All of the file is loaded, to be read and executed.
    word(&mut bytes, &[1, 5]);
    wide(&mut bytes, &[0, 0x40_0000, 0x40_0000, size, size, 4096]);
    bytes.extend(name.as_bytes());
    bytes
}

/// Puts executables of these names into `bin/`.
fn executables(folder: &Path, names: &[&str]) {
    std::fs::create_dir_all(folder.join("bin")).expect("folder");
    names.iter().for_each(|name| std::fs::write(folder.join("bin").join(name), executable(name)).expect("written"));
}

/// The workspace with every key, with executables.
fn every_key() -> tempfile::TempDir {
    let folder = fixture("every-key");
    executables(folder.path(), &["hub-package", "store", "libstore.so"]);
    folder
}

/// The same without the program that asks for health, whose sum is the compiler's.
fn every_key_but_the_probe() -> tempfile::TempDir {
    let folder = every_key();
    let manifest = folder.path().join("services/hub/Cargo.toml");
    let text = std::fs::read_to_string(&manifest).expect("read");
    std::fs::write(&manifest, text.replace("probe = true", "probe = false")).expect("written");
    folder
}

fn build(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = appbundle(folder, &["build", "--no-compile", "--bin-dir", "bin", "--color", "never"]);
    command.args(arguments);
    command
}

/// All that `build` writes for plain `docker build`.
fn contexts_of_dockerfiles() {
    let mut golden = Golden::new("contexts");
    for (name, table) in
        [("one-image", "layout = \"multi-binary\"\nbase = \"scratch\"\n"), ("on-folder", "base = { rootfs = \"root\" }\n")]
    {
        let project = Project::named(name, &[]);
        project.edit("Cargo.toml", |text| text + "targets = [\"x86_64-unknown-linux-gnu\"]\n" + table);
        project.service("alpha", "args = [\"--x\", \"a $b\"]\nenvironment = { A = \"1\" }\nuser = \"1000:1000\"\n");
        project.service("beta", "files = [{ from = \"beta.conf\", to = \"/etc/beta.conf\" }]\nvolumes = [\"data:/data\"]\n");
        project.write("services/beta/beta.conf", "a setting\n");
        project.write("root/etc/os-release", "ID=own\n");
        executables(project.path(), &["alpha", "beta"]);
        ok(&mut build(project.path(), &["--format", "docker"]));
        context(&mut golden, name, project.path());
        ok(&mut appbundle(project.path(), &["generate", "--check", "--format", "docker"]));
    }
    golden.end();
}

/// The contexts of Dockerfiles as a tree: `/` after folders, `*` after executables, `@` after links. Texts are golden files of their own.
fn context(golden: &mut Golden, name: &str, project: &Path) {
    let top = &project.join("target/appbundle/docker");
    let mut tree = String::new();
    for entry in walkdir::WalkDir::new(top).min_depth(1).sort_by_file_name().into_iter().map(|entry| entry.expect("readable")) {
        let path = entry.path().strip_prefix(top).expect("below");
        let metadata = entry.path().symlink_metadata().expect("there");
        let is_executable = metadata.is_file() && metadata.permissions().mode() & 0o111 != 0;
        let kind = match (metadata.is_dir(), metadata.is_symlink(), is_executable) {
            (true, ..) => "/",
            (_, true, _) => "@",
            (.., true) => "*",
            _ => "",
        };
        tree += &format!("{}{kind}\n", path.display());
        if metadata.is_file()
            && let Ok(text) = String::from_utf8(std::fs::read(entry.path()).expect("read"))
            && !text.contains('\0')
        {
            golden.holds(Path::new(name).join(path), &text);
        }
    }
    golden.holds(format!("{name}/tree.txt"), &tree);
}

fn what_plan_prints() {
    let every_key = fixture("every-key");
    let one_image = Project::new(&["alpha", "beta"]);
    one_image.edit("Cargo.toml", |text| text + "layout = \"multi-binary\"\nformats = [\"oci\", \"auterionos\"]\n");
    let mut golden = Golden::new("plan");
    for (name, folder) in [
        ("every-key", every_key.path()),
        ("one-image", one_image.path()),
        ("photo-gallery", &repository().join("examples/photo-gallery")),
    ] {
        golden.redact(folder, "WORKSPACE");
        golden.prints(&format!("{name}.txt"), &mut appbundle(folder, &["plan", "--color", "never"]));
        golden.prints_json(&format!("{name}.json"), &mut appbundle(folder, &["plan", "--quiet", "--json"]));
    }
    golden.end();
}

fn what_inspect_prints() {
    let folder = every_key_but_the_probe();
    let mut golden = Golden::new("inspect");
    for (format, file) in [("auterionos", "app.auterionos"), ("docker", "app.docker.tar"), ("oci", "app.oci.tar")] {
        let bundle = ok(&mut build(folder.path(), &["--format", format]));
        std::fs::rename(bundle.trim(), folder.path().join(file)).expect("renamed");
        let inspect = |more: &[&str]| appbundle(folder.path(), &[&["inspect", file, "--color", "never"], more].concat());
        golden.prints(&format!("{format}.txt"), &mut inspect(&[]));
        golden.prints_json(&format!("{format}.json"), &mut inspect(&["--json"]));
    }
    golden.end();
}

fn what_verify_prints() {
    let folder = every_key_but_the_probe();
    let bundle = ok(&mut build(folder.path(), &["--format", "auterionos"]));
    std::fs::rename(bundle.trim(), folder.path().join("good.auterionos")).expect("renamed");
    let mut forge = Forge::new();
    forge.app = forge.app.replace("  b:\n", "  c:\n");
    forge.info["payloads"] = serde_json::json!([]);
    forge.manifest = Box::new(|text| text.replace("e3b0c4", "e3b0c5"));
    forge.outer = Box::new(|members| members.push(member("left-over", "x")));
    std::fs::write(folder.path().join("bad.auterionos"), forge.build()).expect("written");
    std::fs::write(folder.path().join("other.auterionos"), "no bundle").expect("written");
    let mut golden = Golden::new("verify");
    for (name, is_bundle) in [("good", true), ("bad", true), ("other", false)] {
        let verify = |more: &[&str]| {
            appbundle(folder.path(), &[&["verify", &format!("{name}.auterionos"), "--color", "never"], more].concat())
        };
        golden.prints(&format!("{name}.txt"), &mut verify(&[]));
        if is_bundle {
            golden.prints_json(&format!("{name}.json"), &mut verify(&["--json"]));
        }
    }
    golden.end();
}

/// Every verb that `--help` names, so that no new one is forgotten.
fn help_of_every_verb() {
    let folder = tempfile::tempdir().expect("folder");
    let mut golden = Golden::new("help");
    let mut show = |verb: Option<&str>| {
        let name = verb.unwrap_or("cargo-appbundle");
        let ask = |flag| appbundle(folder.path(), &verb.into_iter().chain([flag]).collect::<Vec<_>>());
        let long = golden.prints(&format!("{name}.txt"), &mut ask("--help"));
        if ok(ask("-h").env("COLUMNS", "100")) != long {
            golden.prints(&format!("{name}.short.txt"), &mut ask("-h"));
        }
        long
    };
    let page = show(None);
    let commands = page.split("\nOptions:").next().unwrap_or_default();
    let verbs: Vec<&str> = commands
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split([' ', ',']).next())
        .filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()) && *word != "help")
        .collect();
    assert!(verbs.len() >= 20 && verbs.contains(&"build"), "{verbs:?}");
    verbs.iter().for_each(|verb| drop(show(Some(verb))));
    for columns in [60, 160] {
        let page = ok(appbundle(folder.path(), &["--help"]).env("COLUMNS", columns.to_string()));
        let long: Vec<&str> = page.lines().filter(|line| line.chars().count() > columns).collect();
        assert!(long.is_empty() && page.contains("\n  build "), "{long:?}");
    }
    golden.end();
}

fn what_doctor_prints() {
    let project = Project::new(&["alpha"]);
    let mut golden = Golden::new("doctor");
    let mut show_at = |name: &str, machine: &Machine, folder: &Path| {
        golden.redact(machine.path(), "MACHINE");
        // Whether arm64 programs run here is for the kernel to say, which is no made-up one.
        let output = run(&mut machine.doctor(folder));
        let shown = text(&output.stdout);
        let lines = shown.lines().filter(|line| !line.contains("qemu-user-static"));
        let lines = lines.map(|line| match line.contains(" running arm64") {
            true => "[FOUND]  running arm64: [HOW]\n".to_owned(),
            false => format!("{line}\n"),
        });
        let code = output.status.code().expect("an exit code");
        golden.holds(name, &format!("{}--- stderr\n{}--- exit code\n{code}\n", lines.collect::<String>(), stderr(&output)));
    };
    let machine = Machine::new();
    show_at("nothing.txt", &machine, project.path());
    project.edit("Cargo.toml", |text| text + "engine = \"docker\"\n");
    show_at("no-engine.txt", &machine, project.path());
    machine.install_compilers(EM_X86_64);
    machine.start_engine();
    show_at("foreign-library.txt", &machine, project.path());
    machine.install_compilers(EM_AARCH64);
    machine.tool("mender-artifact", "");
    show_at("everything.txt", &machine, project.path());
    project.edit("Cargo.toml", |text| text + "builder = \"zigbuild\"\n");
    show_at("no-builder.txt", &machine, project.path());
    let before_init = Project::new(&["alpha"]);
    before_init.write("services/alpha/Cargo.toml", "[package]\nname = \"alpha\"\nversion = \"0.1.0\"\n");
    show_at("before-init.txt", &machine, before_init.path());
    let outside = tempfile::tempdir().expect("folder");
    show_at("outside.txt", &machine, outside.path());
    // A mistake is told after what was found.
    project.write("Cargo.toml", "[workspace]\nmembers = [\"services/*\"]\nmetadata.appbundle.name = \"Not A Name\"\n");
    show_at("mistake.txt", &machine, project.path());
    golden.end();
}

/// What shows the program that asks for health needs a compiler for it.
fn main() -> ExitCode {
    harness::run(vec![
        test!(what_is_generated_for_the_example, [arm64_rust]),
        test!(what_is_generated_for_a_workspace_with_every_key, [arm64_rust]),
        test!(what_is_generated_for_stacks),
        test!(contexts_of_dockerfiles),
        test!(what_plan_prints, [arm64_rust]),
        test!(what_inspect_prints),
        test!(what_verify_prints),
        test!(help_of_every_verb),
        test!(what_doctor_prints),
    ])
}
