//! What bundles are built of, and whether building it again gives the same bytes. The statements are judged by in-toto's own library.
//! The commands of docs/guide/trust.md are run here.

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use cargo_appbundle::digest::Digest;
use serde_json::Value;
use support::harness::{self, test};
use support::needs::{amd64_rust, arm64_rust, dsse_python, openssl};
use support::{Project, appbundle, fails, judge, ok, run, text};

const BUNDLE: &str = "target/appbundle/com.example.demo-1.2.3.auterionos";
const SIGNED: &str = "target/appbundle/com.example.demo-1.2.3.auterionos.intoto.jsonl";
const PLAIN: &str = "target/appbundle/com.example.demo-1.2.3.auterionos.provenance.json";

/// A workspace in a repository.
struct Versioned {
    project: Project,
    temporary: tempfile::TempDir,
}

impl Versioned {
    /// A workspace that is not in a repository yet.
    fn bare(services: &[&str]) -> Self {
        let project = Project::new(services);
        project.write(".gitignore", "target\ncache\ndocker-config\n*.key\n*.pub\n");
        ok(Command::new("cargo").args(["generate-lockfile", "--offline"]).current_dir(project.path()));
        Self { project, temporary: tempfile::tempdir().expect("folder") }
    }

    fn new(services: &[&str]) -> Self {
        let new = Self::bare(services);
        new.git(&["init", "--quiet", "."]);
        new.commit();
        new
    }

    fn git(&self, arguments: &[&str]) -> String {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"]).args(arguments);
        ok(git.current_dir(self.project.path()))
    }

    fn commit(&self) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "a change"]);
        self.git(&["rev-parse", "HEAD"]).trim().to_owned()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = appbundle(self.project.path(), arguments);
        command.env_remove("APPBUNDLE_SIGN_KEY").env("TMPDIR", self.temporary.path());
        self.project.alone(&mut command);
        command
    }

    fn at(&self, path: &str) -> PathBuf {
        self.project.path().join(path)
    }

    fn statement(&self) -> Value {
        serde_json::from_str(&self.project.text(PLAIN)).expect("JSON")
    }

    /// Writes the statement with another value at a place.
    fn alter(&self, pointer: &str, value: impl Into<Value>) {
        let mut statement = self.statement();
        *statement.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value.into();
        self.project.write(PLAIN, &statement.to_string());
    }

    /// That nothing is left of a rebuild.
    fn is_tidy(&self) {
        assert_eq!(self.git(&["worktree", "list"]).lines().count(), 1);
        assert!(
            !self.at(".git/worktrees").exists() || std::fs::read_dir(self.at(".git/worktrees")).expect("folder").count() == 0
        );
        let left: Vec<_> = std::fs::read_dir(self.temporary.path()).expect("folder").flatten().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// in-toto's own library reads the statement, and knows every field of SLSA's predicate.
const JUDGE: &str = "
import json, sys
from google.protobuf import json_format
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
text = open(sys.argv[1]).read()
statement = json_format.Parse(text, statement_pb2.Statement())
Statement.copy_from_pb(statement).validate()
predicate = json_format.ParseDict(json.loads(text)['predicate'], provenance_pb2.Provenance())
for dependency in predicate.build_definition.resolved_dependencies:
    ResourceDescriptor.copy_from_pb(dependency).validate()
print(statement.predicate_type, predicate.build_definition.build_type, predicate.run_details.builder.id)
";

fn a_build_says_of_what_it_is_and_building_it_again_proves_it() {
    let app = Versioned::new(&["alpha", "beta"]);
    app.git(&["remote", "add", "origin", "https://me:secret@example.com/team/demo.git"]);
    ok(&mut app.command(&["build"]));
    let bytes = app.project.read(BUNDLE);
    assert!(!app.at(PLAIN).exists());
    ok(&mut app.command(&["build", "--provenance"]));
    assert!(app.project.read(BUNDLE) == bytes, "provenance is beside the bundle");
    let again = run(&mut app.command(&["build", "--provenance"]));
    assert!(text(&again.stderr).contains("Fresh"), "{}", text(&again.stderr));

    let said = ok(Command::new("dsse-python").args(["-c", JUDGE]).arg(app.at(PLAIN)));
    assert!(said.starts_with("https://slsa.dev/provenance/v1 https://"), "{said}");
    let statement = app.statement();
    let names: Vec<_> = statement["subject"].as_array().expect("subjects").iter().map(|of| of["name"].clone()).collect();
    assert_eq!(names, ["com.example.demo-1.2.3.auterionos", "com.example.demo.alpha:1.2.3", "com.example.demo.beta:1.2.3"]);
    assert_eq!(statement["subject"][0]["digest"]["sha256"], Digest::of(&bytes).hex());
    let definition = &statement["predicate"]["buildDefinition"];
    let inputs = definition["resolvedDependencies"].as_array().expect("inputs");
    let commit = app.git(&["rev-parse", "HEAD"]);
    assert_eq!(inputs[0]["digest"]["gitCommit"], commit.trim());
    assert_eq!(inputs[0]["uri"], "git+https://example.com/team/demo.git");
    assert_eq!(inputs[0]["annotations"]["clean"], true);
    assert_eq!(inputs[1]["name"], "Cargo.lock");
    let sum = judge("sha256sum", &[app.at("Cargo.lock").to_str().expect("UTF-8")]);
    assert_eq!(inputs[1]["digest"]["sha256"], sum[..64]);
    assert_eq!(inputs[2]["name"], "base auto, layer 1");
    let rustc = ok(appbundle_rustc(app.project.path()).arg("-vV"));
    let hash = definition["internalParameters"]["rustc"]["commit-hash"].as_str().expect("hash");
    assert!(rustc.contains(&format!("commit-hash: {hash}\n")), "{rustc}");

    // Nothing of this machine, of its user, of the environment.
    let written = app.project.text(PLAIN);
    let user = judge("id", &["-un"]);
    let host = judge("uname", &["-n"]);
    let home = std::env::var("HOME").unwrap_or_default();
    for word in
        [user.trim(), host.trim(), &home, app.project.path().to_str().expect("UTF-8"), "secret", "Somebody", "/tmp", "me:"]
    {
        // A name of a few letters is a part of other words.
        let there = if word.len() < 4 { written.contains(&format!("\"{word}\"")) } else { written.contains(word) };
        assert!(!there, "{word}: {written}");
    }

    let said = ok(&mut app.command(&["verify", BUNDLE, "--rebuild"]));
    assert!(said.ends_with(&format!(", the same bytes as commit {} builds\n", commit.trim())), "{said}");
    app.is_tidy();
    // From another folder of another clone.
    let clone = tempfile::tempdir().expect("folder");
    ok(Command::new("git").args(["clone", "--quiet"]).arg(app.project.path()).arg(clone.path().join("deep/er")));
    let mut verify = app.command(&["verify", "--rebuild", "--json"]);
    let verdict = ok(verify.arg(app.at(BUNDLE)).current_dir(clone.path().join("deep/er/services/alpha")));
    let verdict: Value = serde_json::from_str(&verdict).expect("JSON");
    assert_eq!((&verdict["rebuilt"]["commit"], &verdict["rebuilt"]["difference"]), (&commit.trim().into(), &Value::Null));

    // A build without it removes what an earlier one said.
    ok(&mut app.command(&["build"]));
    assert!(!app.at(PLAIN).exists() && app.project.read(BUNDLE) == bytes);
}

fn appbundle_rustc(folder: &Path) -> Command {
    let mut command = Command::new("rustc");
    command.current_dir(folder);
    if let Some(toolchain) = support::toolchain() {
        command.env("RUSTUP_TOOLCHAIN", toolchain);
    }
    command
}

/// A table with a file, so that the image has one besides the executable.
const PAGE: &str = "files = [{ from = \"web/**\", to = \"/srv\" }]\n";

/// Somebody built something else than what is in the commit, and denies it.
fn what_differs_is_named_by_service_and_file() {
    let app = Versioned::bare(&["beta"]);
    app.project.service("alpha", PAGE);
    app.project.write("services/alpha/web/page", "one");
    ok(Command::new("cargo").args(["generate-lockfile", "--offline"]).current_dir(app.project.path()));
    app.git(&["init", "--quiet", "."]);
    let commit = app.commit();
    let page = app.at("services/alpha/web/page");
    let beta = "fn main() { println!(\"something else\"); }\n";
    let cases: [(&str, &dyn Fn(), &str); 6] = [
        (
            "auterionos",
            &|| app.project.write("services/beta/src/main.rs", beta),
            "in the image of `beta`, `usr/local/bin/beta` has different contents",
        ),
        (
            "oci",
            &|| app.project.write("services/beta/src/main.rs", beta),
            "in the image of `beta`, `usr/local/bin/beta` has different contents",
        ),
        (
            "docker",
            &|| std::fs::write(&page, "two").expect("written"),
            "in the image of `alpha`, `srv/page` has different contents",
        ),
        (
            "docker",
            &|| drop(judge("chmod", &["755", page.to_str().expect("UTF-8")])),
            "in the image of `alpha`, `srv/page` has a different mode, owner, type or time",
        ),
        (
            "auterionos",
            &|| std::fs::write(page.with_file_name("more"), "").expect("written"),
            "in the image of `alpha`, `srv/more` is not in the rebuilt bundle",
        ),
        (
            "auterionos",
            &|| app.project.service("beta", "environment = { A = \"1\" }\n"),
            "in the image of `beta`, `config` has different contents",
        ),
    ];
    for (format, change, expected) in cases {
        change();
        let bundle = ok(&mut app.command(&["build", "--provenance", "--format", format]));
        let plain = format!("{}.provenance.json", bundle.trim());
        let written = std::fs::read_to_string(&plain).expect("read");
        assert!(written.contains("\"clean\": false"), "{written}");
        let error = fails(&mut app.command(&["verify", bundle.trim(), "--rebuild"]), 1);
        assert!(
            error.contains("error[provenance-unusable]")
                && error.contains("the workspace had changes that are not in the commit"),
            "{error}"
        );
        std::fs::write(&plain, written.replace("\"clean\": false", "\"clean\": true")).expect("written");
        let error = fails(&mut app.command(&["verify", bundle.trim(), "--rebuild"]), 1);
        assert!(
            error.contains(&format!(
                "error[rebuild-differs]: `{}` is not what its commit `{commit}` builds: {expected}\n",
                bundle.trim()
            )),
            "{expected}: {error}"
        );
        app.git(&["checkout", "--quiet", "."]);
        app.git(&["clean", "--quiet", "--force", "services"]);
        app.is_tidy();
    }
    let json = run(&mut app.command(&["verify", BUNDLE, "--rebuild", "--json"]));
    let verdict: Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!((&verdict["good"], &verdict["rebuilt"]["difference"]["service"]), (&false.into(), &"beta".into()), "{verdict}");
}

fn what_cannot_be_built_again_is_refused_in_its_own_words() {
    let app = Versioned::bare(&["alpha"]);
    let refused = |app: &Versioned, words: &str| {
        let error = fails(&mut app.command(&["verify", BUNDLE, "--rebuild"]), 1);
        assert!(error.contains("error[provenance-unusable]") && error.contains(words), "{words}: {error}");
        assert!(!error.contains("Compiling"), "{error}");
    };
    for init in [false, true] {
        if init {
            app.git(&["init", "--quiet", "."]);
        }
        let error = fails(&mut app.command(&["build", "--provenance"]), 1);
        assert!(
            error.contains(
                "error[provenance-unusable]: the build has no provenance: the workspace is not in a Git repository with a commit"
            ),
            "{error}"
        );
        assert!(!error.contains("Compiling"), "{error}");
    }
    app.commit();
    let error = fails(&mut app.command(&["build", "--provenance", "--no-compile", "--bin-dir", "bin"]), 2);
    assert!(error.contains("--provenance"), "{error}");
    ok(&mut app.command(&["build"]));
    refused(&app, "has no provenance beside it");
    ok(&mut app.command(&["build", "--provenance"]));
    let good = app.project.text(PLAIN);
    let nested = "[".repeat(100_000);
    let release = good.replace("https://slsa.dev/provenance/v1", "https://in-toto.io/attestation/release/v0.1");
    for (text, words) in [
        ("", "it is not an in-toto statement"),
        ("{}", "it is not an in-toto statement"),
        (&nested, "it is not an in-toto statement"),
        (&release, "it is a statement about something else"),
        (&good.replace("Statement/v1", "Statement/v2"), "it is a `https://in-toto.io/Statement/v2`"),
        (
            &good.replace("/build/v1", "/build/v2"),
            "it describes a build of the type `https://cargo-appbundle.github.io/build/v2`",
        ),
        (&good.replace("\"profile\"", "\"profil\""), "it is not SLSA provenance: unknown field `profil`"),
    ] {
        app.project.write(PLAIN, text);
        refused(&app, words);
    }
    let none = "0".repeat(40);
    for (place, value, words) in [
        ("/subject/0/digest/sha256", "0".repeat(64).into(), "it is about a file with another digest"),
        (
            "/predicate/buildDefinition/resolvedDependencies/0/digest/gitCommit",
            Value::from(none.as_str()),
            "does not have the commit `0000",
        ),
        ("/predicate/buildDefinition/resolvedDependencies/0/digest/gitCommit", "--help".into(), "it names no commit"),
        ("/predicate/buildDefinition/resolvedDependencies/0/name", "src".into(), "it names no sources"),
        (
            "/predicate/buildDefinition/resolvedDependencies/0/annotations/folder",
            "a/../../b".into(),
            "`a/../../b` is no folder of a repository",
        ),
        (
            "/predicate/buildDefinition/resolvedDependencies/0/annotations/folder",
            "/etc".into(),
            "`/etc` is no folder of a repository",
        ),
        (
            "/predicate/buildDefinition/resolvedDependencies/0/annotations/folder",
            "other".into(),
            "there is no folder `other` in the commit",
        ),
        (
            "/predicate/buildDefinition/resolvedDependencies/1/digest/sha256",
            "0".repeat(64).into(),
            "its `Cargo.lock` is not the one in the commit",
        ),
        (
            "/predicate/buildDefinition/internalParameters/rustc/release",
            "1.0.0".into(),
            "help: run `cargo +1.0.0 appbundle verify",
        ),
        ("/predicate/buildDefinition/internalParameters/cargo", "1.0.0".into(), "it was built by Cargo 1.0.0, and this is"),
        (
            "/predicate/buildDefinition/internalParameters/linkers/aarch64-unknown-linux-gnu",
            "ld".into(),
            "it was linked by `ld`, and the linker here is `aarch64-linux-gnu-gcc",
        ),
        ("/predicate/buildDefinition/externalParameters/targets", Value::Array(Vec::new()), "its provenance names no target"),
        ("/predicate/buildDefinition/externalParameters/targets", vec!["--help"].into(), "`--help` is not a Linux target"),
        ("/predicate/buildDefinition/externalParameters/builder", "make".into(), "`make` is not a compiler driver"),
        ("/predicate/runDetails/builder/version/cargo-appbundle", "9.9.9".into(), "it was built by cargo-appbundle 9.9.9"),
    ] {
        app.project.write(PLAIN, &good);
        app.alter(place, value);
        refused(&app, words);
        app.is_tidy();
    }
    // What would be a flag elsewhere is a value here.
    app.project.write(PLAIN, &good);
    app.alter("/predicate/buildDefinition/externalParameters/profile", "--help");
    let error = fails(&mut app.command(&["verify", BUNDLE, "--rebuild"]), 1);
    assert!(error.contains("the commit cannot be built again: the build failed"), "{error}");
    app.is_tidy();
    // Outside of any repository.
    app.project.write(PLAIN, &good);
    let outside = tempfile::tempdir().expect("folder");
    let error = fails(app.command(&["verify", "--rebuild"]).arg(app.at(BUNDLE)).current_dir(outside.path()), 1);
    assert!(error.contains("is in no Git repository that could have the commit"), "{error}");
    // A bundle that was replaced: `verify` sees it without being asked for provenance.
    ok(&mut app.command(&["build", "--compression", "best"]));
    app.project.write(PLAIN, &good);
    let error = fails(&mut app.command(&["verify", BUNDLE]), 1);
    assert!(error.contains("error[provenance-unusable]") && error.contains("another digest"), "{error}");
}

fn options_are_part_of_it() {
    let app = Versioned::bare(&["alpha", "beta"]);
    for name in ["alpha", "beta"] {
        app.project.service(name, "");
        let manifest = format!("services/{name}/Cargo.toml");
        app.project.edit(&manifest, |text| text + "\n[features]\nloud = []\n");
        app.project.write(
            &format!("services/{name}/src/main.rs"),
            "fn main() { println!(\"{} {}\", cfg!(feature = \"loud\"), file!()); }\n",
        );
    }
    app.project.edit("Cargo.toml", |text| text + "\n[profile.small]\ninherits = \"release\"\nopt-level = \"z\"\n");
    ok(Command::new("cargo").args(["generate-lockfile", "--offline"]).current_dir(app.project.path()));
    // The workspace is in a folder of its repository.
    let outer = tempfile::tempdir().expect("folder");
    let inner = outer.path().join("apps/demo");
    std::fs::create_dir_all(outer.path().join("apps")).expect("folder");
    ok(Command::new("cp").arg("-r").arg(app.project.path()).arg(&inner));
    for words in [
        &["init", "--quiet"][..],
        &["add", "--all"],
        &["-c", "user.name=A", "-c", "user.email=a@b", "commit", "--quiet", "-m", "one"],
    ] {
        ok(Command::new("git").args(words).current_dir(outer.path()));
    }
    let options = [
        "--provenance",
        "-p",
        "alpha",
        "-F",
        "alpha/loud",
        "--profile",
        "small",
        "--app-version",
        "7.0.0",
        "--compression",
        "fast",
    ];
    let mut build = app.command(&["build", "--format", "docker,auterionos"]);
    let built = ok(build.args(options).env("SOURCE_DATE_EPOCH", "1700000000").current_dir(&inner));
    assert_eq!(built.lines().count(), 2, "{built}");
    for bundle in built.lines() {
        let statement: Value =
            serde_json::from_str(&std::fs::read_to_string(format!("{bundle}.provenance.json")).expect("read")).expect("JSON");
        let definition = &statement["predicate"]["buildDefinition"];
        assert_eq!(definition["resolvedDependencies"][0]["annotations"]["folder"], "apps/demo");
        let asked = &definition["externalParameters"];
        assert_eq!((&asked["features"][0], &asked["sourceDateEpoch"]), (&"alpha/loud".into(), &1_700_000_000.into()), "{asked}");
        let said = ok(app.command(&["verify", bundle, "--rebuild"]).current_dir(&inner));
        assert!(said.contains("the same bytes as commit"), "{said}");
    }
}

fn the_archive_of_all_targets_has_it_too() {
    let app = Versioned::new(&["alpha"]);
    let targets = ["--target", "x86_64-unknown-linux-gnu", "--target", "aarch64-unknown-linux-gnu"];
    let build = |more: &[&str]| {
        let mut build = app.command(&["build", "--format", "oci"]);
        run(build.args(targets).args(more))
    };
    let bundle = text(&build(&["--provenance"]).stdout);
    let statement = || -> Value {
        let path = format!("{}.provenance.json", bundle.trim());
        serde_json::from_str(&std::fs::read_to_string(path).expect("read")).expect("JSON")
    };
    let definition = &statement()["predicate"]["buildDefinition"];
    assert_eq!(definition["externalParameters"]["targets"], serde_json::json!([targets[1], targets[3]]));
    let names: Vec<_> = definition["resolvedDependencies"].as_array().expect("inputs").iter().map(|of| &of["name"]).collect();
    assert_eq!(names, ["source", "Cargo.lock", "base auto, layer 1", "base auto, layer 1"]);
    let again = build(&["--provenance"]);
    assert!(!text(&again.stderr).contains("Bundled"), "{}", text(&again.stderr));
    let said = ok(&mut app.command(&["verify", bundle.trim(), "--rebuild"]));
    assert!(said.contains("the same bytes as commit"), "{said}");
    build(&[]);
    assert!(!Path::new(&format!("{}.provenance.json", bundle.trim())).exists());
}

fn a_signature_covers_it() {
    let app = Versioned::new(&["alpha"]);
    ok(&mut app.command(&["keygen", "one.key"]));
    ok(&mut app.command(&["keygen", "two.key"]));
    ok(&mut app.command(&["build", "--provenance", "--sign", "one.key"]));
    let check = |key: &str| {
        assert!(!app.at(PLAIN).exists());
        let written = app.project.text(SIGNED);
        assert_eq!(written.lines().count(), 2, "{written}");
        let said = ok(&mut app.command(&["verify", BUNDLE, "--key", key, "--rebuild"]));
        assert!(said.contains(&format!("signed with {key} (sha256:")) && said.contains("the same bytes as commit"), "{said}");
    };
    check("one.pub");
    // in-toto's library reads what is in the envelope, and securesystemslib verifies that.
    let script = format!("{ENVELOPE}{JUDGE}");
    ok(Command::new("dsse-python").args(["-c", &script]).args([app.at("statement.key"), app.at(SIGNED), app.at("one.pub")]));

    let good = app.project.read(SIGNED);
    let second = good.iter().position(|byte| *byte == b'\n').expect("two lines") + 1;
    for at in (second..good.len()).step_by((good.len() - second) / 40) {
        let mut flipped = good.clone();
        flipped[at] ^= 1 << (at % 8);
        std::fs::write(app.at(SIGNED), flipped).expect("written");
        fails(&mut app.command(&["verify", BUNDLE, "--key", "one.pub"]), 1);
    }
    // The line of another bundle.
    std::fs::write(app.at(SIGNED), &good).expect("written");
    let other = ok(&mut app.command(&["build", "--provenance", "--sign", "one.key", "--format", "oci"]));
    let other = std::fs::read_to_string(format!("{}.intoto.jsonl", other.trim())).expect("read");
    let mixed = text(&good[..second]) + other.lines().nth(1).expect("a line") + "\n";
    app.project.write(SIGNED, &mixed);
    let error = fails(&mut app.command(&["verify", BUNDLE, "--key", "one.pub"]), 1);
    assert!(error.contains("about a file with another digest"), "{error}");

    // Built first, signed later, and once more with another key.
    ok(&mut app.command(&["build", "--provenance"]));
    assert!(app.at(PLAIN).exists() && !app.at(SIGNED).exists());
    for (key, public) in [("one.key", "one.pub"), ("two.key", "two.pub")] {
        ok(&mut app.command(&["sign", BUNDLE, "--key", key]));
        check(public);
    }
    // On a machine apart, only one signature is made: that in the bundle.
    let digest = ok(&mut app.command(&["sign", BUNDLE, "--print-digest"]));
    let sign = format!(
        "printf %s {} | xxd -r -p | openssl pkeyutl -sign -inkey one.key -pkeyopt digest:sha256 -out app.sig",
        digest.trim()
    );
    ok(Command::new("sh").args(["-ec", &sign]).current_dir(app.project.path()));
    ok(&mut app.command(&["sign", BUNDLE, "--key", "one.pub", "--signature", "app.sig"]));
    assert!(app.at(PLAIN).exists() && !app.at(SIGNED).exists());
    let verified = run(&mut app.command(&["verify", BUNDLE, "--key", "one.pub", "--rebuild"]));
    assert!(
        verified.status.success() && text(&verified.stderr).contains("provenance.json`, is not signed"),
        "{}",
        text(&verified.stderr)
    );
}

/// Verifies the second envelope of a file with securesystemslib, and writes what is in it for [`JUDGE`].
const ENVELOPE: &str = "
import json, sys
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key as load
key = SSlibKey.from_crypto(load(open(sys.argv[3], 'rb').read()))
data = json.loads(open(sys.argv[2]).read().splitlines()[1])
data['signatures'][0]['keyid'] = key.keyid
envelope = Envelope.from_dict(data)
envelope.verify([key], 1)
open(sys.argv[1], 'wb').write(envelope.payload)
";

fn an_interrupt_leaves_nothing() {
    let app = Versioned::bare(&["alpha"]);
    // Only in the temporary folder.
    let script = "fn main() { if std::env::current_dir().unwrap().ancestors().any(|at| at.ends_with(\"checkout\")) {\n\
        std::fs::write(std::env::var(\"OUT_DIR\").unwrap() + \"/waits\", \"\").unwrap();\n\
        std::thread::sleep(std::time::Duration::from_secs(600)) } }\n";
    app.project.write("services/alpha/build.rs", script);
    app.git(&["init", "--quiet", "."]);
    app.commit();
    ok(&mut app.command(&["build", "--provenance"]));
    for signal in ["INT", "TERM"] {
        let mut child = app.command(&["verify", BUNDLE, "--rebuild"]).stderr(Stdio::null()).spawn().expect("started");
        let waits = |entry: walkdir::Result<walkdir::DirEntry>| entry.is_ok_and(|entry| entry.file_name() == "waits");
        let start = Instant::now();
        while !walkdir::WalkDir::new(app.temporary.path()).into_iter().any(waits) {
            assert!(start.elapsed() < Duration::from_secs(120), "the build script does not run");
            std::thread::sleep(Duration::from_millis(50));
        }
        judge("kill", &[&format!("-{signal}"), &child.id().to_string()]);
        let status = child.wait().expect("ended");
        assert_eq!(status.code(), Some(130), "{signal}");
        app.is_tidy();
    }
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(a_build_says_of_what_it_is_and_building_it_again_proves_it, [arm64_rust, dsse_python]),
        test!(what_differs_is_named_by_service_and_file, [arm64_rust]),
        test!(what_cannot_be_built_again_is_refused_in_its_own_words, [arm64_rust]),
        test!(options_are_part_of_it, [arm64_rust]),
        test!(the_archive_of_all_targets_has_it_too, [amd64_rust, arm64_rust]),
        test!(a_signature_covers_it, [arm64_rust, dsse_python, openssl]),
        test!(an_interrupt_leaves_nothing, [arm64_rust]),
    ])
}
