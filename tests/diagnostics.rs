//! Errors with codes: each is explained, each can be met, and each is JSON in rustc's form.
//!
//! `SNAPSHOTS=overwrite cargo test --test diagnostics` writes docs/errors.md anew.

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use cargo_appbundle::diagnostic::Code;
use cargo_metadata::diagnostic::{Diagnostic, DiagnosticLevel};
use serde_json::Value;
use support::podman::{answer, pretender};
use support::{PROGRAM, Project, appbundle, fails, ok, repository, run, text};

/// Of this machine.
const NATIVE: &str = if cfg!(target_arch = "aarch64") { "aarch64-unknown-linux-gnu" } else { "x86_64-unknown-linux-gnu" };

/// Of another one.
const FOREIGN: &str = if cfg!(target_arch = "aarch64") { "x86_64-unknown-linux-gnu" } else { "aarch64-unknown-linux-gnu" };

/// Codes that no test meets, and why.
const NOT_MET: [(&str, &str); 1] =
    [("registry-plain-http", "needs a registry on another machine; src/registry/connections.rs tests it")];

/// The lines of stdout, which are all JSON with a `reason`.
fn lines(command: &mut Command) -> Vec<Value> {
    let output = run(command.args(["--message-format", "json"]));
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{command:?}: {error}: {line}"));
    let lines: Vec<Value> = text(&output.stdout).lines().map(parse).collect();
    assert!(lines.iter().all(|line| line["reason"].is_string()), "{lines:?}");
    lines
}

/// The diagnostics among them.
fn diagnostics(lines: &[Value]) -> Vec<Diagnostic> {
    let messages = lines.iter().filter(|line| line["reason"] == "appbundle-diagnostic").map(|line| &line["message"]);
    messages.map(|message| serde_json::from_value(message.clone()).expect("rustc's form")).collect()
}

/// The codes of the errors of a command that fails.
fn codes(command: &mut Command) -> BTreeSet<String> {
    let errors = diagnostics(&lines(command)).into_iter().filter(|diagnostic| diagnostic.level == DiagnosticLevel::Error);
    errors.filter_map(|error| error.code).map(|code| code.code).collect()
}

fn meets(code: &str, command: &mut Command) {
    let met = codes(command);
    assert!(met.contains(code), "{code} is not among {met:?}: {command:?}");
}

#[test]
fn mistakes_in_tables_have_codes() {
    for (code, app, service) in [
        ("auterion-value", "[workspace.metadata.appbundle.auterion]\ntarget-platform = \"toaster\"\n", ""),
        ("conflicting-keys", "", "environment = { A = \"\" }\nsecrets = { A = { secret = \"a\", key = \"a\" } }\n"),
        ("duplicate-service", "", "name = \"beta\"\n"),
        ("dependency-cycle", "", "depends-on = [\"beta\"]\n"),
        ("file-not-found", "", "env-file = \"none.env\"\n"),
        ("invalid-base", "base = { rootfs = \"none.tar\" }\n", ""),
        ("invalid-files", "", "files = [{ from = \"none\", to = \"/x\" }]\n"),
        ("invalid-name", "", "name = \"Alpha!\"\n"),
        ("invalid-stack", "stacks = { one = { services = [\"beta\"] }, two = { services = [\"beta\"] } }\n", ""),
        ("invalid-value", "", "network-mode = \"hots\"\n"),
        ("missing-key", "", "healthcheck = {}\n"),
        ("one-image", "layout = \"multi-binary\"\n", "base = \"scratch\"\n"),
        ("port-conflict", "", "ports = [\"8080:80\"]\n"),
        ("route-conflict", "", "routes = { \"/beta\" = { port = 80 } }\n"),
        ("several-targets", "targets = [\"aarch64-unknown-linux-gnu\", \"x86_64-unknown-linux-gnu\"]\n", ""),
        ("stack-controller", "stacks = { one = { services = [\"alpha\", \"beta\"], stack-image = true } }\n", ""),
        ("unknown-bin", "", "bin = \"alhpa\"\n"),
        ("unknown-library", "", "libraries = [\"alhpa\"]\n"),
        ("unknown-key", "", "enviroment = {}\n"),
        ("unknown-service", "", "depends-on = [\"store\"]\n"),
        ("unknown-target", "targets = [\"aarch64-unknown-linux-gun\"]\n", ""),
        ("volume-owners", "", "volumes = [\"data:/data\"]\nuser = \"1000:1000\"\n"),
        ("wrong-type", "", "ports = 8080\n"),
    ] {
        let project = Project::new(&[]);
        project.edit("Cargo.toml", |text| text + app);
        project.service("alpha", service);
        project.service(
            "beta",
            "depends-on = [\"alpha\"]\nports = [\"8080:80\"]\nroutes = { \"/beta\" = { port = 80 } }\nvolumes = [\"data:/data\"]\n",
        );
        // Without the one mistake, there is none: what two services share is told only if they do.
        if !["duplicate-service", "dependency-cycle", "unknown-key", "wrong-type"].contains(&code) {
            assert_eq!(codes(&mut appbundle(project.path(), &["plan"])), BTreeSet::from([code.to_owned()]));
        } else {
            meets(code, &mut appbundle(project.path(), &["plan"]));
        }
    }
}

#[test]
fn mistakes_between_files_and_commands_have_codes() {
    let project = Project::new(&["alpha", "beta"]);
    let command = |arguments: &[&str]| appbundle(project.path(), arguments);
    meets("unknown-package", &mut command(&["plan", "-p", "gamma"]));
    meets("target-glibc", &mut command(&["plan", "--target", "aarch64-unknown-linux-gnu.2.28"]));
    meets("generated-outdated", &mut command(&["generate", "--for", "compose", "--check"]));
    meets("no-build", &mut command(&["push", "--repo", "localhost:1/test"]));
    meets("not-a-bundle", &mut command(&["verify", "Cargo.toml"]));
    meets("not-a-bundle", &mut command(&["load", "Cargo.toml"]));
    meets("tools-missing", &mut command(&["doctor", "--format", "docker", "--target", "s390x-unknown-linux-gnu"]));
    meets("workspace-unreadable", &mut command(&["plan", "--manifest-path", "none/Cargo.toml"]));

    project.write("app.yml", "services: { alpha: { image: alpha } }\n");
    meets("app-yml", &mut command(&["plan"]));
    std::fs::remove_file(project.path().join("app.yml")).expect("removed");

    project.with_base("{ image = \"localhost:1/base\" }");
    project.write("appbundle.lock", "<<<<<<< ours\n");
    meets("lock-file", &mut command(&["generate"]));

    project.edit("Cargo.toml", |text| text.replace("author = \"com.example\"\n", "formats = [\"auterionos\"]\n"));
    meets("author-missing", &mut command(&["plan"]));
    project.edit("Cargo.toml", |text| text.replace("version = \"1.2.3\"\n", ""));
    project.edit("services/beta/Cargo.toml", |text| text.replace("0.1.0", "0.2.0"));
    meets("app-version", &mut command(&["plan"]));
    for name in ["alpha", "beta"] {
        project.edit(&format!("services/{name}/Cargo.toml"), |text| text.replace("[package.metadata.service]", ""));
    }
    meets("no-services", &mut command(&["plan"]));

    project.write("manifest.json", "[{ \"Config\": \"none.json\", \"RepoTags\": [], \"Layers\": [] }]");
    ok(Command::new("tar").args(["-cf", "damaged.tar", "manifest.json"]).current_dir(project.path()));
    meets("bundle-damaged", &mut command(&["verify", "damaged.tar"]));
}

#[test]
fn signatures_have_codes() {
    let project = Project::new(&[]);
    project.write("config.json", r#"{"architecture":"arm64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#);
    project.write("manifest.json", r#"[{"Config":"config.json","RepoTags":["alpha:1"],"Layers":[]}]"#);
    ok(Command::new("tar").args(["-cf", "app.tar", "config.json", "manifest.json"]).current_dir(project.path()));
    let command = |arguments: &[&str]| appbundle(project.path(), arguments);
    ok(&mut command(&["keygen"]));
    meets("key-unusable", &mut command(&["sign", "app.tar", "--key", "Cargo.toml"]));
    meets("signature-missing", &mut command(&["verify", "app.tar", "--key", "appbundle.pub"]));
    meets("signer-failed", &mut command(&["sign", "app.tar", "--key", "appbundle.pub", "--with", "false"]));
    ok(&mut command(&["sign", "app.tar", "--key", "appbundle.key"]));
    ok(&mut command(&["keygen", "other.key"]));
    meets("signature-invalid", &mut command(&["verify", "app.tar", "--key", "other.pub"]));
}

#[test]
fn rebuilds_have_codes() {
    let project = Project::new(&["alpha"]);
    project.write(".gitignore", "target\n");
    ok(Command::new("cargo").args(["generate-lockfile", "--offline"]).current_dir(project.path()));
    let git = |arguments: &[&str]| {
        ok(Command::new("git").args(["-c", "user.name=A", "-c", "user.email=a@b"]).args(arguments).current_dir(project.path()))
    };
    let command = |arguments: &[&str]| appbundle(project.path(), arguments);
    let build = ["build", "--provenance", "--target", NATIVE, "--format", "oci"];
    meets("provenance-unusable", &mut command(&build));
    git(&["init", "--quiet"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "-m", "one"]);
    let bundle = ok(&mut command(&build));
    let statement = format!("{}.provenance.json", bundle.trim());
    let text = std::fs::read_to_string(&statement).expect("read");
    let altered = text.replace("\"compression\": \"default\"", "\"compression\": \"best\"");
    assert_ne!(text, altered);
    std::fs::write(statement, altered).expect("written");
    meets("rebuild-differs", &mut command(&["verify", bundle.trim(), "--rebuild"]));
}

#[test]
fn executables_that_cannot_run_have_codes() {
    let project = Project::new(&["alpha"]);
    std::fs::create_dir_all(project.path().join("bin")).expect("folder");
    let pack = |target: &str| {
        let mut command = project.pack(&["--format", "docker", "--target", target]);
        command.current_dir(project.path());
        command
    };
    meets("binary-missing", &mut pack(NATIVE));
    std::fs::copy(PROGRAM, project.path().join("bin/alpha")).expect("copied");
    meets("binary-machine", &mut pack(FOREIGN));
    project.with_base("\"scratch\"");
    meets("base-library", &mut pack(NATIVE));

    let project = Project::new(&["alpha"]);
    project.write("odd.c", "int odd() { return 0; }\n");
    ok(Command::new("cc").args(["-shared", "-o", "libodd.so", "odd.c"]).current_dir(project.path()));
    project.compile("cc", "alpha", "int odd(); int main() { return odd(); }\n", &["-L..", "-lodd"]);
    meets("sysroot-library", &mut project.pack(&["--format", "docker", "--target", NATIVE]));
}

#[cfg(feature = "engine")]
#[test]
fn what_an_engine_cannot_do_has_codes() {
    let project = Project::new(&[]);
    project.service("alpha", "secrets = { TOKEN = { secret = \"a\", key = \"a\" } }\n");
    let command = |arguments: &[&str], url: &str| {
        let mut command = appbundle(project.path(), arguments);
        command.env("DOCKER_HOST", url).env_remove("TOKEN");
        command
    };
    meets("engine-unreachable", &mut command(&["run"], "unix:///nowhere"));
    let version = r#"{"Version":"26.1.0","ApiVersion":"1.45","Os":"linux","Arch":"amd64"}"#;
    let folder = tempfile::tempdir().expect("folder");
    let docker = format!("unix://{}", pretender(folder.path(), answer(version), answer("[]")).display());
    meets("variable-missing", &mut command(&["run"], &docker));
    let version = r#"{"Version":"4.3.1","ApiVersion":"1.41","Components":[{"Name":"Podman Engine","Version":"4.3.1"}]}"#;
    let folder = tempfile::tempdir().expect("folder");
    let podman = format!("unix://{}", pretender(folder.path(), answer(version), answer("[]")).display());
    meets("swarm-missing", &mut command(&["status"], &podman));
}

/// Other test files have the codes in the errors that they expect.
#[test]
fn every_code_is_raised_and_met() {
    let read = |folder: &str| -> String {
        let files =
            walkdir::WalkDir::new(repository().join(folder)).into_iter().map(|entry| entry.expect("readable").into_path());
        let own = repository().join("src/diagnostic");
        let sources = files
            .filter(|path| path.extension().is_some_and(|ending| ending == "rs" || ending == "txt") && !path.starts_with(&own));
        sources.map(|path| std::fs::read_to_string(path).unwrap_or_default()).collect()
    };
    let (sources, tests) = (read("src"), read("tests"));
    for code in Code::ALL {
        assert!(sources.contains(&format!("Code::{code:?}")), "nothing raises `{code}`");
        let exempt = NOT_MET.iter().any(|(name, _)| *name == code.name());
        let met = tests.contains(&format!("\"{code}\", &mut")) || tests.contains(&format!("(\"{code}\", \""));
        let kind = if code.is_note() { "note" } else { "error" };
        let met = (met && !exempt) || tests.contains(&format!("{kind}[{code}]"));
        assert!(met != exempt, "whether a test meets `{code}`: {met}");
    }
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let folder = repository().join("src/diagnostic/codes");
    let files = std::fs::read_dir(folder).expect("readable").map(|entry| entry.expect("readable").file_name());
    let pages: BTreeSet<String> = files.map(|name| name.to_string_lossy().trim_end_matches(".md").to_owned()).collect();
    let names: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    assert!(names.is_sorted(), "{names:?}");
    assert_eq!(pages, names.iter().map(|name| (*name).to_owned()).collect());
    for code in Code::ALL {
        let (summary, page) = (code.summary(), code.explanation());
        assert!(!summary.is_empty() && summary.len() <= 72 && !summary.ends_with('.'), "{code}: {summary}");
        assert!((5..=27).contains(&page.lines().count()), "{code}: {} lines", page.lines().count());
        let wide = page.lines().find(|line| line.chars().count() > 112);
        assert!(wide.is_none() && !page.lines().any(|line| line.starts_with('#')), "{code}: {wide:?}");
        assert!(code.name().chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{code}");
    }
}

#[test]
fn explain_lists_prints_and_suggests() {
    let here = repository();
    let list = ok(&mut appbundle(&here, &["explain"]));
    assert_eq!(list.lines().count(), Code::ALL.len(), "{list}");
    let page = ok(&mut appbundle(&here, &["explain", "base-glibc"]));
    assert!(
        page.starts_with("base-glibc: ") && page.contains("\nHow to fix it:\n") && page.contains("`base = \"auto\"`"),
        "{page}"
    );
    // As it stands in an error.
    assert_eq!(ok(&mut appbundle(&here, &["explain", "error[base-glibc]:"])), page);
    let error = fails(&mut appbundle(&here, &["explain", "base-glib"]), 1);
    assert!(error.starts_with("error: there is no code `base-glib`; did you mean `base-glibc`?\nhelp: "), "{error}");
    let explained = lines(&mut appbundle(&here, &["explain"]));
    assert!(explained.iter().all(|line| line["reason"] == "appbundle-explanation" && line["code"].is_string()));
}

#[test]
fn errors_name_their_code_and_where_it_is_explained() {
    let project = Project::new(&[]);
    project.service("alpha", "enviroment = {}\n");
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    assert!(error.starts_with("error[unknown-key]: unknown key `enviroment`\n --> services/alpha/Cargo.toml:7:1\n"), "{error}");
    assert!(error.ends_with("\n\nFor more about this error, run `cargo appbundle explain unknown-key`.\n"), "{error}");
    project.service("alpha", "enviroment = {}\nports = 1\n");
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    let last = "For more about an error, run `cargo appbundle explain CODE`, such as `cargo appbundle explain unknown-key`.\n";
    assert!(error.contains("error[wrong-type]: ") && error.ends_with(last), "{error}");
    let error = fails(&mut appbundle(project.path(), &["verify", "Cargo.toml"]), 1);
    assert!(error.starts_with("error[not-a-bundle]: failed to read `Cargo.toml`\n\nCaused by:\n  it is neither"), "{error}");
}

#[test]
fn diagnostics_are_what_rustc_would_print() {
    let project = Project::new(&[]);
    project.service("alpha", "# ä\nenviroment = {}\n");
    let lines = lines(&mut appbundle(project.path(), &["plan"]));
    let all = diagnostics(&lines);
    let [problem] = &all[..] else { panic!("{all:?}") };
    assert_eq!((problem.message.as_str(), problem.level), ("unknown key `enviroment`", DiagnosticLevel::Error));
    let code = problem.code.as_ref().expect("a code");
    assert!(
        code.code == "unknown-key" && code.explanation.as_ref().is_some_and(|text| text.contains("How to fix it")),
        "{code:?}"
    );
    let span = &problem.spans[0];
    let manifest = project.read("services/alpha/Cargo.toml");
    assert_eq!(&manifest[span.byte_start as usize..span.byte_end as usize], b"enviroment");
    assert_eq!((span.file_name.as_str(), span.line_start, span.column_start), ("services/alpha/Cargo.toml", 8, 1));
    assert_eq!((span.line_end, span.column_end, span.is_primary), (8, 11, true));
    let [help] = &problem.children[..] else { panic!("{problem:?}") };
    assert_eq!((help.level, help.message.as_str()), (DiagnosticLevel::Help, "did you mean `environment`?"));
    let instead = help.spans[0].suggested_replacement.as_deref();
    assert_eq!(
        (instead, help.spans[0].byte_start, help.spans[0].byte_end),
        (Some("environment"), span.byte_start, span.byte_end)
    );
    let rendered = problem.rendered.as_deref().expect("text");
    assert!(fails(&mut appbundle(project.path(), &["plan"]), 1).starts_with(rendered), "{rendered}");

    // Key by key as rustc's own.
    std::fs::write(project.path().join("wrong.rs"), "fn main() { wrong }\n").expect("written");
    let said = run(Command::new("rustc").args(["--error-format", "json", "wrong.rs"]).current_dir(project.path())).stderr;
    let theirs: Value = serde_json::from_str(text(&said).lines().next().expect("a line")).expect("JSON");
    assert_eq!(shape(&lines[0]["message"]), shape(&theirs));

    // Errors with causes, and notes.
    let lines = self::lines(&mut appbundle(project.path(), &["verify", "Cargo.toml"]));
    let all = diagnostics(&lines);
    assert!(all[0].message == "failed to read `Cargo.toml`" && all[0].spans.is_empty(), "{all:?}");
    assert!(all[0].children[0].level == DiagnosticLevel::Note && all[0].children[0].message.starts_with("it is neither"));
    project.service("alpha", "");
    project.edit("Cargo.toml", |text| text.replace("1.2.3", "1.2.3+g4"));
    let all = diagnostics(&self::lines(&mut appbundle(project.path(), &["plan"])));
    assert!(all[0].level == DiagnosticLevel::Note && all[0].message.contains("tags cannot contain `+`"), "{all:?}");
}

/// The keys of a diagnostic, of its code, its first span, and that span's first line.
fn shape(diagnostic: &Value) -> Vec<BTreeSet<String>> {
    let span = &diagnostic["spans"][0];
    let parts = [diagnostic, &diagnostic["code"], span, &span["text"][0]];
    parts.map(|part| part.as_object().expect("an object").keys().cloned().collect()).to_vec()
}

#[test]
fn stdout_is_the_result_alone() {
    let project = Project::new(&["alpha"]);
    // There is a note in every one of these.
    project.edit("Cargo.toml", |text| text.replace("1.2.3", "1.2.3+g4"));
    let command = |arguments: &[&str]| appbundle(project.path(), arguments);
    let document = |arguments: &[&str]| -> Value {
        let output = run(&mut command(arguments));
        assert!(text(&output.stderr).contains("tags cannot contain `+`"), "{arguments:?}");
        serde_json::from_slice(&output.stdout).expect("a JSON document")
    };
    let of = |reason: &str, arguments: &[&str]| -> Vec<Value> {
        let lines = lines(&mut command(arguments));
        assert!(lines.iter().any(|line| line["reason"] == "appbundle-diagnostic" && line["message"]["level"] == "note"));
        let rest = lines.into_iter().filter(|line| line["reason"] != "appbundle-diagnostic");
        rest.inspect(|line| assert_eq!(line["reason"], reason)).collect()
    };
    let without_reason = |mut line: Value| {
        line.as_object_mut().expect("an object").remove("reason");
        line
    };
    let plan = of("appbundle-plan", &["plan"]).remove(0);
    assert_eq!(without_reason(plan), document(&["plan", "--json"]));
    let findings: Vec<Value> = of("appbundle-finding", &["doctor"]).into_iter().map(without_reason).collect();
    assert_eq!(Value::Array(findings), document(&["doctor", "--json"]));
    let files = of("appbundle-file", &["generate", "--for", "compose"]);
    assert!(Path::new(files[0]["path"].as_str().expect("a path")).is_file(), "{files:?}");
    for arguments in [&["plan"][..], &["doctor"], &["generate", "--for", "compose"]] {
        let said = text(&run(&mut command(arguments)).stdout);
        assert!(!said.contains("tags cannot") && !said.contains('{') && !said.contains("note["), "{said}");
    }
}

#[test]
fn colours_are_for_terminals_and_whoever_asks() {
    let folder = tempfile::tempdir().expect("folder");
    let doctor = |arguments: &[&str]| text(&run(&mut appbundle(folder.path(), &[&["doctor"], arguments].concat())).stdout);
    assert!(!doctor(&[]).contains('\x1b') && doctor(&["--color", "always"]).contains('\x1b'));
    assert!(!doctor(&["--color", "always", "--message-format", "json"]).contains('\x1b'));
    let at_terminal = |no_color: Option<&str>| {
        let mut command = Command::new("script");
        command.args(["-qec", &format!("{PROGRAM} appbundle doctor"), "/dev/null"]).current_dir(folder.path());
        command.env("TERM", "xterm").env_remove("NO_COLOR").envs(no_color.map(|value| ("NO_COLOR", value)));
        text(&run(command.stdin(std::process::Stdio::null())).stdout)
    };
    let (coloured, plain) = (at_terminal(None), at_terminal(Some("1")));
    assert!(coloured.contains("\x1b[") && coloured.contains("cargo"), "{coloured}");
    assert!(!plain.contains("\x1b[") && plain.contains("cargo"), "{plain}");
}

#[test]
fn the_page_of_errors_is_up_to_date() {
    let mut page = "# Errors\n\nEvery note, and every error that users meet often, has a code, as in `note[routes-ignored]` and `error[base-glibc]`.\n\
        This page explains all of them; `cargo appbundle explain CODE` prints one in the terminal. It is generated from the pages in\n\
        `src/diagnostic/codes`. A test fails when it is out of date.\n"
        .to_owned();
    for code in Code::ALL {
        page += &format!("\n## {code}\n\n**{}**\n\n{}\n", code.summary(), code.explanation());
    }
    let path = repository().join("docs/errors.md");
    let expected = snapbox::Data::read_from(&path, Some(snapbox::data::DataFormat::Text));
    snapbox::assert_data_eq!(page, expected.raw());
}
