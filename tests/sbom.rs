//! Bills of materials: what they list, and what the validators of their formats say.

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use serde_json::Value;
use support::harness::{self, test};
use support::needs::{arm64_cc, arm64_rust, docker, podman, registry, sbom_validators, skopeo};
use support::registry::{Guard, Registry};
use support::{Project, appbundle, fails, fixture, judge, ok, repository, run, text};

/// What the format's own validators find wrong.
fn validate(format: &str, document: &Path) {
    let script = repository().join("tests/programs/sbom_judge.py");
    let said = ok(Command::new("sbom-python").arg(script).arg(format).arg(document));
    assert_eq!(said.trim(), "valid");
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("a document")).expect("JSON")
}

/// The purls, or else the names, of a document's components of one type.
fn listed(document: &Value, kind: &str) -> BTreeSet<String> {
    let components = document["components"].as_array().expect("components").iter();
    let of_kind = components.filter(|component| component["type"] == kind);
    of_kind.map(|component| component["purl"].as_str().or(component["name"].as_str()).expect("a name").to_owned()).collect()
}

/// What a component directly uses.
fn used(document: &Value, id: &str) -> BTreeSet<String> {
    let entries = document["dependencies"].as_array().expect("dependencies").iter();
    let entry = entries.clone().find(|entry| entry["ref"] == id).unwrap_or_else(|| panic!("no `{id}` in {document}"));
    entry["dependsOn"].as_array().into_iter().flatten().map(|used| used.as_str().expect("a name").to_owned()).collect()
}

fn owned<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

/// A service with a file, whose crates are only itself.
fn small() -> Project {
    let project = Project::new(&["alpha"]);
    project.service("alpha", "files = [{ from = \"greeting.txt\", to = \"/greeting.txt\" }]\n");
    project.write("services/alpha/greeting.txt", "hello\n");
    project
}

fn beside(project: &Path) -> PathBuf {
    project.join("target/appbundle/com.example.demo-1.2.3.cdx.json")
}

fn crates_and_their_graph() {
    let fixture = fixture("crate-lists");
    let folder = fixture.path();
    ok(&mut appbundle(folder, &["build", "--locked", "--format", "docker"]));
    let path = folder.join("target/appbundle/com.example.crate-lists-1.0.0.cdx.json");
    validate("cyclonedx", &path);
    let document = json(&path);
    assert_eq!(listed(&document, "application"), owned(["one", "two"]));
    let one = used(&document, "application:one@1.0.0");
    assert!(one.iter().any(|used| used.starts_with("pkg:cargo/memchr@")), "{one:?}");
    assert!(!one.iter().any(|used| used.contains("own-macro") || used.contains("/cc@")), "{one:?}");
    // A crate that the workspace replaces by its own is not the one on crates.io.
    let two = used(&document, "application:two@1.0.0");
    let itoa: Vec<&String> = two.iter().filter(|used| used.contains("itoa")).collect();
    assert_eq!(itoa, ["library:itoa@1.0.99"], "{two:?}");
    let hex = document["components"].as_array().expect("components").iter().find(|of| of["name"] == "hex").expect("hex");
    assert_eq!(hex["licenses"][0]["expression"], "MIT OR Apache-2.0");
    assert_eq!(hex["supplier"]["name"], "crates.io");
    let lock = std::fs::read_to_string(folder.join("Cargo.lock")).expect("Cargo.lock");
    let sum = hex["hashes"][0]["content"].as_str().expect("a sum");
    assert!(lock.contains(&format!("checksum = \"{sum}\"")), "{sum}");
    assert_eq!(document["compositions"][0]["aggregate"], "complete");
    // Nothing of this machine.
    let shown = document.to_string();
    assert!(!shown.contains(folder.to_str().expect("path")) && !shown.contains("registry+"), "{shown}");
    // One service.
    let spdx = folder.join("two.spdx.json");
    let arguments = ["sbom", "--format", "spdx", "--service", "two", "-o", spdx.to_str().expect("path")];
    ok(appbundle(folder, &arguments).args(["--target", support::TRIPLE]));
    validate("spdx", &spdx);
    let names = json(&spdx)["packages"].to_string();
    assert!(names.contains("\"hex\"") && !names.contains("\"memchr\""), "{names}");
}

fn files_and_packages_are_listed() {
    let project = small();
    let bundle = ok(&mut appbundle(project.path(), &["build"]));
    let document = json(&beside(project.path()));
    assert_eq!(listed(&document, "file"), owned(["/greeting.txt"]));
    let file = document["components"].as_array().expect("components").iter().find(|of| of["type"] == "file").expect("a file");
    let sum = judge("sha256sum", &[project.path().join("services/alpha/greeting.txt").to_str().expect("path")]);
    assert_eq!(file["hashes"][0]["content"].as_str(), sum.split(' ').next());
    let libraries = listed(&document, "library");
    assert!(libraries.iter().any(|purl| purl.starts_with("pkg:deb/debian/libc6@")), "{libraries:?}");
    // A second build of the same gives the same; one without it has none.
    let read = || (std::fs::read(beside(project.path())).expect("SBOM"), std::fs::read(bundle.trim()).expect("bundle"));
    let first = read();
    ok(&mut appbundle(project.path(), &["clean"]));
    ok(&mut appbundle(project.path(), &["build"]));
    assert_eq!(read(), first);
    project.edit("Cargo.toml", |text| text + "sbom = false\n");
    ok(&mut appbundle(project.path(), &["clean"]));
    ok(&mut appbundle(project.path(), &["build"]));
    assert!(!beside(project.path()).exists());
    // What its images have of records is listed all the same.
    let output = run(&mut appbundle(project.path(), &["sbom"]));
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(listed(&document, "library").iter().any(|purl| purl.starts_with("pkg:deb/debian/libc6@")), "{document}");
    assert_eq!(document["compositions"][0]["aggregate"], "incomplete");
    assert!(
        text(&output.stderr).contains("`/usr/local/bin/alpha` of alpha has no list of its crates"),
        "{}",
        text(&output.stderr)
    );
}

/// Members that nothing refers to disturb no reader of images.
fn every_format_carries_it_and_is_read() {
    let project = small();
    let bundles =
        ok(&mut appbundle(project.path(), &["build", "--format", "auterionos", "--format", "docker", "--format", "oci"]));
    let bundles: Vec<&str> = bundles.lines().collect();
    assert_eq!(bundles.len(), 3);
    let written = std::fs::read_to_string(beside(project.path())).expect("SBOM");
    for bundle in &bundles {
        assert_eq!(ok(&mut appbundle(project.path(), &["sbom", bundle])), written, "{bundle}");
        ok(&mut appbundle(project.path(), &["verify", bundle]));
    }
    let docker = bundles[1];
    let members = judge("tar", &["tf", docker]);
    assert_eq!(members.lines().last(), Some("sbom.cdx.json.gz"), "{members}");
    judge("docker", &["load", "-i", docker]);
    judge("docker", &["rmi", "com.example.demo.alpha:1.2.3"]);
    judge("skopeo", &["inspect", "--raw", &format!("docker-archive:{docker}")]);
    judge("skopeo", &["inspect", "--raw", &format!("oci-archive:{}", bundles[2])]);
    judge(
        "podman",
        &["--root", project.path().join("podman").to_str().expect("path"), "--storage-driver", "vfs", "load", "-i", docker],
    );
}

fn bad_documents_are_told() {
    let project = small();
    let bundle = ok(&mut appbundle(project.path(), &["build", "--format", "docker"]));
    let bundle = bundle.trim();
    let sbom = |arguments: &[&str]| {
        let output = run(appbundle(project.path(), &["sbom", bundle]).args(arguments));
        assert!(!output.status.success());
        text(&output.stderr)
    };
    let said = sbom(&["--service", "alfa"]);
    assert!(said.contains("has no service `alfa`\nhelp: its services are `alpha`"), "{said}");
    let folder = tempfile::tempdir().expect("folder");
    ok(Command::new("tar").args(["xf", bundle]).current_dir(folder.path()));
    let replace = |bytes: &[u8]| {
        std::fs::write(folder.path().join("sbom.cdx.json.gz"), bytes).expect("written");
        let members = ["oci-layout", "index.json", "manifest.json", "blobs", "sbom.cdx.json.gz"];
        ok(Command::new("tar").args(["cf", bundle]).args(members).current_dir(folder.path()));
    };
    let packed = |json: &[u8]| {
        use std::io::Write as _;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(json).expect("packed");
        encoder.finish().expect("packed")
    };
    replace(b"no gzip");
    assert!(sbom(&[]).contains("failed to unpack `sbom.cdx.json.gz` in"));
    replace(&packed(b"{}"));
    assert!(sbom(&[]).contains("it is not a CycloneDX document"));
    replace(&packed(&vec![b'['; 1 << 20]));
    assert!(sbom(&[]).contains("it is not a CycloneDX document"));
    replace(&packed(&vec![b' '; 70 << 20]));
    assert!(sbom(&[]).contains("has more than 64 MiB"));
    // `verify` compares it with what the images have.
    let verify = || fails(appbundle(project.path(), &["verify"]).arg(bundle), 1);
    assert!(verify().contains("has more than 64 MiB"));
    replace(&packed(b"{}"));
    assert!(verify().contains("its bill of materials cannot be read"));
    let mut document = json(&beside(project.path()));
    for component in document["components"].as_array_mut().expect("components") {
        if component["name"] == "libc6" {
            component["version"] = "1.0".into();
        }
    }
    let crates = document["components"].as_array_mut().expect("components");
    crates.push(serde_json::json!({"type": "library", "bom-ref": "pkg:cargo/hex@1.0.0", "purl": "pkg:cargo/hex@1.0.0", "name": "hex", "version": "1.0.0"}));
    replace(&packed(document.to_string().as_bytes()));
    let said = verify();
    for fault in [
        "lacks the package `libc6 2.",
        "lists the package `libc6 1.0`, which no image contains",
        "lists the crate `hex 1.0.0`, which no executable contains",
    ] {
        assert!(said.contains(&format!("its bill of materials {fault}")), "{fault}: {said}");
    }
}

/// Each image gets that of its service, from the last build as from the bundle. Scanners look for it by its type.
fn bills_are_pushed_beside_images() {
    let project = Project::new(&["alpha", "beta"]);
    let bundle = ok(&mut appbundle(project.path(), &["build", "--format", "oci"]));
    let registry = Registry::start(Guard::None);
    let repository = format!("{}/team", registry.host);
    let push = |arguments: &[&str]| {
        let mut command = appbundle(project.path(), &["push", "--repo", &repository]);
        let output = run(command.args(["--insecure-registry", &registry.host]).args(arguments));
        assert!(output.status.success(), "{}", text(&output.stderr));
        (text(&output.stdout), text(&output.stderr))
    };
    let tags = || judge("skopeo", &["list-tags", "--tls-verify=false", &format!("docker://{repository}/alpha")]);
    let (images, _) = push(&[]);
    assert!(!tags().contains("sha256-"), "{}", tags());
    let (_, said) = push(&["--sbom"]);
    assert_eq!(said.matches("Attached SBOM of").count(), 2, "{said}");
    for (service, image) in ["alpha", "beta"].into_iter().zip(images.lines()) {
        let (name, digest) = image.split_once('@').expect("a digest");
        let raw = |reference: &str| -> Value {
            let address = format!("docker://{name}{reference}");
            serde_json::from_str(&judge("skopeo", &["inspect", "--raw", "--tls-verify=false", &address])).expect("JSON")
        };
        let index = raw(&format!(":{}", digest.replace(':', "-")));
        assert_eq!(index["manifests"].as_array().map(Vec::len), Some(1), "{index}");
        assert_eq!(index["manifests"][0]["artifactType"], "application/vnd.cyclonedx+json");
        let manifest = raw(&format!("@{}", index["manifests"][0]["digest"].as_str().expect("a digest")));
        assert_eq!(manifest["subject"]["digest"], digest);
        let blob = manifest["layers"][0]["digest"].as_str().expect("a digest");
        let document = judge("curl", &["-fsS", &format!("http://{}/v2/team/{service}/blobs/{blob}", registry.host)]);
        let path = project.path().join("pushed.json");
        std::fs::write(&path, document).expect("written");
        validate("cyclonedx", &path);
        assert_eq!(json(&path)["metadata"]["component"]["name"], service);
    }
    let before = tags();
    let (_, said) = push(&["--sbom", bundle.trim()]);
    assert_eq!(said.matches("Fresh SBOM of").count(), 2, "{said}");
    assert_eq!(tags(), before);
    // One that there is not is not made up.
    project.edit("Cargo.toml", |text| text + "sbom = false\n");
    ok(&mut appbundle(project.path(), &["build", "--format", "oci"]));
    let said = fails(&mut appbundle(project.path(), &["push", "--repo", &repository, "--sbom"]), 1);
    assert!(said.contains("the last build wrote no bill of materials"), "{said}");
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(crates_and_their_graph, [arm64_rust, sbom_validators]),
        test!(files_and_packages_are_listed, [arm64_cc]),
        test!(every_format_carries_it_and_is_read, [arm64_cc, docker, podman, skopeo]),
        test!(bad_documents_are_told, [arm64_cc]),
        test!(bills_are_pushed_beside_images, [arm64_cc, registry, sbom_validators, skopeo]),
    ])
}
