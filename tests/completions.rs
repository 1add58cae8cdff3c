//! Completion scripts, asked by real shells, and man pages, read by real readers.

mod support;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use support::harness::{self, test};
use support::needs::{BASH_COMPLETION, bash_completion, groff, man, script, zsh};
use support::{appbundle, ok, repository};

/// What a shell runs after these keys were typed, one line after another: the words of each command, joined by `|`.
fn typed(setup: &str, lines: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("folder");
    let script = ok(&mut appbundle(&repository(), &["completions", "bash"]));
    std::fs::write(folder.path().join("appbundle.bash"), script).expect("written");
    // Commands only tell how they were called.
    let told = "told() { (IFS='|'; echo \"$*\" >> told); }\ncargo() { told cargo \"$@\"; }\ncargo-appbundle() { told cargo-appbundle \"$@\"; }\n";
    std::fs::write(folder.path().join("rc"), format!("{setup}\n. ./appbundle.bash\n{told}")).expect("written");
    // A terminal, since a shell completes nowhere else.
    let mut shell = Command::new("script");
    shell.args(["--quiet", "--return", "--command", "bash --noprofile --rcfile rc -i", "/dev/null"]).current_dir(folder.path());
    shell.env("TERM", "dumb").env("PS1", "$ ").env("INPUTRC", "/dev/null").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = shell.spawn().expect("script starts");
    let keys = format!("{}\nexit 0\n", lines.join("\n"));
    running.stdin.take().expect("stdin").write_all(keys.as_bytes()).expect("typed");
    let screen = running.wait_with_output().expect("ends").stdout;
    let told = std::fs::read_to_string(folder.path().join("told")).unwrap_or_default();
    assert!(!told.is_empty(), "{}", String::from_utf8_lossy(&screen));
    told.lines().map(str::to_owned).collect()
}

fn bash_completes_verbs_and_flags() {
    let keys = [
        "cargo-appbundle insp\t",
        "cargo-appbundle build --app-v\t",
        "cargo appbundle veri\t",
        "cargo appbundle build --app-v\t2",
    ];
    let more = ["cargo +nightly appbundle build --compr\tbe\t", "cargo app\tpla\t", "cargo-appbundle super\t"];
    let expected = [
        "cargo-appbundle|inspect",
        "cargo-appbundle|build|--app-version",
        "cargo|appbundle|verify",
        "cargo|appbundle|build|--app-version|2",
    ];
    let expected_more = ["cargo|+nightly|appbundle|build|--compression|best", "cargo|appbundle|plan", "cargo-appbundle|super"];
    assert_eq!(typed("", &[&keys[..], &more].concat()), [&expected[..], &expected_more].concat());
}

fn cargo_s_own_completion_goes_on_in_bash() {
    let sysroot = ok(Command::new("rustc").args(["--print", "sysroot"]));
    let cargo = Path::new(sysroot.trim()).join("etc/bash_completion.d/cargo");
    for setup in [
        // Cargo's before ours, and found by bash-completion only when it is asked for.
        format!(". {BASH_COMPLETION}\n. {}", cargo.display()),
        format!(
            "mkdir -p data/bash-completion/completions\ncp {} data/bash-completion/completions/\nXDG_DATA_HOME=$PWD/data\n. {BASH_COMPLETION}",
            cargo.display()
        ),
    ] {
        let told = typed(&setup, &["cargo build --relea\t", "cargo appbundle insp\t", "cargo build --all-t\t"]);
        assert_eq!(told, ["cargo|build|--release", "cargo|appbundle|inspect", "cargo|build|--all-targets"], "{setup}");
    }
}

fn every_shell_has_a_script() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = ok(&mut appbundle(&repository(), &["completions", shell]));
        for word in ["--app-version", "--compression", "inspect", "new-service", "cargo-appbundle"] {
            assert!(script.contains(word.trim_start_matches("--")), "{shell}: {word}");
        }
        assert!(!script.contains("supervise"), "{shell} completes a verb that is no user's");
    }
}

fn zsh_takes_its_script() {
    let folder = tempfile::tempdir().expect("folder");
    let script = ok(&mut appbundle(&repository(), &["completions", "zsh"]));
    std::fs::write(folder.path().join("_cargo-appbundle"), script).expect("written");
    let load = "fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -d dump; autoload +X _cargo-appbundle; echo ${_comps[cargo-appbundle]}";
    let named = ok(Command::new("zsh").args(["-f", "-c", load]).current_dir(folder.path()));
    assert_eq!(named.trim(), "_cargo-appbundle");
}

/// The pages, in a folder.
fn pages() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    ok(appbundle(&repository(), &["man"]).arg(folder.path()));
    folder
}

fn every_verb_has_a_man_page() {
    let folder = pages();
    let help = ok(&mut appbundle(&repository(), &["--help"]));
    let verbs = help.lines().take_while(|line| *line != "Options:").filter_map(|line| line.strip_prefix("  "));
    // What is indented further goes on with a description.
    let verbs = verbs.filter(|line| !line.starts_with(' ')).filter_map(|line| line.split_whitespace().next());
    let mut expected: Vec<String> = verbs.map(|verb| format!("cargo-appbundle-{verb}.1")).collect();
    assert!(expected.len() > 15, "{help}");
    expected.push("cargo-appbundle.1".into());
    expected.sort();
    let written = std::fs::read_dir(folder.path()).expect("readable").flatten();
    let mut written: Vec<String> = written.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    written.sort();
    assert_eq!(written, expected);
}

fn man_shows_the_pages() {
    let folder = pages();
    let mut reader = Command::new("man");
    reader.env("MANWIDTH", "100").env("LC_ALL", "C.UTF-8").env("MANPAGER", "cat").arg("-l");
    let page = ok(reader.arg(folder.path().join("cargo-appbundle-build.1")));
    for line in [
        "cargo-appbundle-build - Compile all services and write the bundle",
        "cargo appbundle build [",
        "EXAMPLES",
        "--app-version <VERSION>",
    ] {
        assert!(page.contains(line), "`{line}` is missing:\n{page}");
    }
    // Indented lines are not filled.
    let example = page.lines().find(|line| line.contains("cargo appbundle build -p gallery-service")).expect("the example");
    assert!(example.ends_with("one of them"), "{example}");
}

fn groff_has_nothing_to_say_about_them() {
    let folder = pages();
    for page in std::fs::read_dir(folder.path()).expect("readable").flatten() {
        let output = support::run(Command::new("groff").args(["-man", "-ww", "-Tutf8", "-Kutf8", "-z"]).arg(page.path()));
        let said = support::text(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{}: {said}", page.path().display());
    }
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(bash_completes_verbs_and_flags, [script]),
        test!(cargo_s_own_completion_goes_on_in_bash, [script, bash_completion]),
        test!(every_shell_has_a_script),
        test!(zsh_takes_its_script, [zsh]),
        test!(every_verb_has_a_man_page),
        test!(man_shows_the_pages, [man]),
        test!(groff_has_nothing_to_say_about_them, [groff]),
    ])
}
