//! The list of crates in each packed executable, held against what cargo-auditable, syft, trivy and cargo-audit say.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use serde_json::Value;
use support::harness::{self, test};
use support::needs::{arm64_c, arm64_cc, arm64_rust, cargo_audit, cargo_auditable, qemu_aarch64, skopeo, syft, trivy};
use support::{Project, TRIPLE, appbundle, fixture, judge, ok, repository, run, text, toolchain};

/// `NAME VERSION` of a crate.
type Name = String;

/// A crate of a list, and the crates that it uses.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Listed {
    source: String,
    root: bool,
    uses: BTreeSet<Name>,
}

/// The section `.dep-v0` as the format's description reads it, with GNU's tool: what runs with the executable, in order.
fn listed(executable: &Path) -> Vec<(Name, Listed)> {
    let folder = tempfile::tempdir().expect("folder");
    let section = folder.path().join("section");
    let dump = format!(".dep-v0={}", section.display());
    let path = executable.to_str().expect("path");
    judge("aarch64-linux-gnu-objcopy", &["--dump-section", &dump, path, "/dev/null"]);
    let mut json = String::new();
    let packed = std::fs::read(&section).expect("a section");
    flate2::read::ZlibDecoder::new(&packed[..]).read_to_string(&mut json).expect("zlib");
    let list: Value = serde_json::from_str(&json).expect("JSON");
    let all = list["packages"].as_array().expect("packages");
    let name = |of: &Value| format!("{} {}", of["name"].as_str().expect("name"), of["version"].as_str().expect("version"));
    let runs = |of: &&Value| of["kind"].as_str().is_none_or(|kind| kind == "runtime");
    let one = |of: &Value| {
        let uses = of["dependencies"].as_array().into_iter().flatten();
        let uses = uses.map(|at| &all[usize::try_from(at.as_u64().expect("a number")).expect("a place")]);
        let listed = Listed {
            source: of["source"].as_str().expect("source").to_owned(),
            root: of["root"] == true,
            uses: uses.filter(runs).map(name).collect(),
        };
        (name(of), listed)
    };
    all.iter().filter(runs).map(one).collect()
}

fn names(of: &[(Name, Listed)]) -> BTreeSet<Name> {
    of.iter().map(|(name, _)| name.clone()).collect()
}

fn packed(folder: &Path, service: &str, bin: &str) -> PathBuf {
    folder.join("target/appbundle/docker").join(service).join("rootfs/usr/local/bin").join(bin)
}

/// What cargo-auditable writes of a package that is built by itself.
fn audited(folder: &Path, package: &str) -> Vec<(Name, Listed)> {
    let mut command = Command::new("cargo");
    command.args(["auditable", "build", "--release", "--locked", "-p", package, "--target", TRIPLE, "--target-dir", "audited"]);
    command.args(["--config", &format!("target.{TRIPLE}.linker=\"aarch64-linux-gnu-gcc\"")]).current_dir(folder);
    if let Some(name) = toolchain() {
        command.env("RUSTUP_TOOLCHAIN", name);
    }
    ok(&mut command);
    listed(&folder.join("audited").join(TRIPLE).join("release").join(package))
}

/// The crates that Cargo itself says the executable of a package has.
fn in_tree(folder: &Path, package: &str) -> BTreeSet<Name> {
    let mut command = Command::new("cargo");
    command.args(["tree", "--locked", "--package", package, "--target", TRIPLE, "--edges", "normal,no-proc-macro"]);
    let said = ok(command.args(["--prefix", "none", "--format", "{p}"]).current_dir(folder));
    let name = |line: &str| {
        let mut words = line.split(' ');
        Some(format!("{} {}", words.next()?, words.next()?.strip_prefix('v')?))
    };
    said.lines().filter_map(name).collect()
}

fn build(folder: &Path) -> PathBuf {
    PathBuf::from(ok(&mut appbundle(folder, &["build", "--locked", "--format", "docker"])).trim())
}

/// The crates that syft finds in the image of each service.
fn by_syft(folder: &Path, service: &str) -> BTreeSet<Name> {
    let executable = packed(folder, service, service);
    let json = judge("syft", &["scan", "--quiet", "--output", "json", &format!("file:{}", executable.display())]);
    let found: Value = serde_json::from_str(&json).expect("JSON");
    let artifacts = found["artifacts"].as_array().expect("artifacts").iter();
    let crates = artifacts.filter(|of| of["type"] == "rust-crate");
    crates.map(|of| format!("{} {}", of["name"].as_str().expect("name"), of["version"].as_str().expect("version"))).collect()
}

/// The crates that trivy finds in each image of an archive, by the executable's path.
fn by_trivy(bundle: &Path) -> BTreeMap<String, BTreeSet<Name>> {
    let folder = tempfile::tempdir().expect("folder");
    // trivy reads the first image of an archive, so each service gets one of its own.
    ok(Command::new("tar").arg("xf").arg(bundle).current_dir(folder.path()));
    let manifest: Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("manifest.json")).expect("manifest")).expect("JSON");
    let mut all = BTreeMap::new();
    for image in manifest.as_array().expect("images") {
        let only = serde_json::to_vec(&vec![image]).expect("JSON");
        std::fs::write(folder.path().join("manifest.json"), only).expect("written");
        let cache = tempfile::tempdir().expect("folder");
        let archive = cache.path().join("one.tar");
        let names = std::fs::read_dir(folder.path()).expect("folder").map(|entry| entry.expect("entry").file_name());
        ok(Command::new("tar").arg("cf").arg(&archive).args(names).current_dir(folder.path()));
        let mut command = Command::new("trivy");
        command.args(["image", "--quiet", "--format", "cyclonedx", "--cache-dir"]).arg(cache.path()).arg("--input").arg(&archive);
        let found: Value = serde_json::from_str(&ok(&mut command)).expect("JSON");
        let components = found["components"].as_array().expect("components").iter();
        let crates = components.filter(|of| of["purl"].as_str().is_some_and(|purl| purl.starts_with("pkg:cargo/")));
        let crates =
            crates.map(|of| format!("{} {}", of["name"].as_str().expect("name"), of["version"].as_str().expect("version")));
        let name = image["RepoTags"][0].as_str().expect("name");
        let service = name.split(':').next().and_then(|name| name.rsplit('.').next()).expect("service");
        all.insert(service.to_owned(), crates.collect());
    }
    all
}

/// Renamed, patched, optional, for another platform, for the tests, for the build, macros, C sources, and a feature that only another
/// service turns on: no crate is missing, and none is there too many.
fn the_lists_are_those_of_cargo_auditable() {
    let workspace = fixture("crate-lists");
    let folder = workspace.path();
    let bundle = build(folder);
    let one = listed(&packed(folder, "one", "one"));
    let two = listed(&packed(folder, "two", "two"));
    let shown = |of: &[(Name, Listed)]| of.iter().map(|(name, of)| format!("{name} {}", of.source)).collect::<Vec<_>>();
    let is_named = |name: &str| one.iter().find(|(of, _)| of.starts_with(&format!("{name} "))).expect("listed");
    assert_eq!(
        names(&two).iter().map(|name| name.split(' ').next().expect("name")).collect::<Vec<_>>(),
        ["common", "hex", "itoa", "two"]
    );
    assert!(shown(&two).contains(&"itoa 1.0.99 local".to_owned()), "{two:?}");
    // What cargo-auditable takes for a tool of the build is linked into the executable.
    let sources: Name = "tiny-src 3.1.0+tiny.3.1".into();
    assert_eq!(is_named("tiny-sys").1.uses, BTreeSet::from([sources.clone()]));
    let mut without_sources = one.clone();
    without_sources.retain(|(name, _)| *name != sources);
    without_sources.iter_mut().for_each(|(_, of)| of.uses.retain(|used| *used != sources));
    assert_eq!(without_sources, audited(folder, "one"));
    assert_eq!(two, audited(folder, "two"));
    let trivy = by_trivy(&bundle);
    for (service, own) in [("one", &one), ("two", &two)] {
        assert_eq!(by_syft(folder, service), names(own));
        assert_eq!(trivy[service], names(own));
    }
    // The feature of `common` is really in the executable of the service that does not ask for it.
    let ran =
        judge("qemu-aarch64-static", &["-L", "/usr/aarch64-linux-gnu", packed(folder, "two", "two").to_str().expect("path")]);
    assert_eq!(ran, "07 7\n");

    // Built alone, `two` does not have it.
    ok(&mut appbundle(folder, &["build", "--locked", "-p", "two"]));
    let alone = listed(&packed(folder, "two", "two"));
    let first =
        |of: &[(Name, Listed)]| of.iter().map(|(name, _)| name.split(' ').next().expect("name").to_owned()).collect::<Vec<_>>();
    assert_eq!(first(&alone), ["common", "itoa", "two"]);
    // A feature of the service's own.
    ok(&mut appbundle(folder, &["build", "--locked", "-p", "two", "--features", "two/random"]));
    assert_eq!(first(&listed(&packed(folder, "two", "two"))), ["common", "fastrand", "itoa", "two"]);
}

/// A service with a library in C, which a build script compiles or finds.
fn a_service_with_c_code_has_the_list_of_cargo_auditable() {
    let workspace = fixture("c-dependencies");
    let folder = workspace.path();
    let bundle = ok(&mut appbundle(folder, &["build", "--locked", "--format", "docker", "-p", "zip"]));
    let own = listed(&packed(folder, "zip", "zip"));
    assert_eq!(own, audited(folder, "zip"));
    assert_eq!(by_trivy(Path::new(bundle.trim()))["zip"], names(&own));
    assert_eq!(by_syft(folder, "zip"), names(&own));
}

/// The example, by all scanners; and what the lists cost.
fn scanners_find_the_crates_of_the_example() {
    let folder = repository().join("examples/photo-gallery");
    let bundle = build(&folder);
    let size = std::fs::metadata(&bundle).expect("metadata").len();
    let trivy = by_trivy(&bundle);
    let mut lists = 0;
    for service in ["camera-control", "gallery-service", "thumbnailer"] {
        let path = packed(&folder, service, service);
        let own = listed(&path);
        assert!(own.len() > 20, "{own:?}");
        assert_eq!(names(&own), in_tree(&folder, service), "{service}");
        // cargo-auditable also lists `zlib-rs`, an optional dependency that no feature turns on and that Cargo does not compile.
        let mut expected = audited(&folder, service);
        expected.retain(|(name, _)| !name.starts_with("zlib-rs "));
        expected.iter_mut().for_each(|(_, of)| of.uses.retain(|name| !name.starts_with("zlib-rs ")));
        assert_eq!(own, expected, "{service}");
        assert_eq!(trivy[service], names(&own));
        assert_eq!(by_syft(&folder, service), names(&own));
        let stripped = folder.join("target/appbundle/cache/stripped").join(service);
        lists += std::fs::metadata(&path).expect("metadata").len() - std::fs::metadata(stripped).expect("metadata").len();
    }
    assert!(lists * 200 <= size, "{lists} of {size} bytes");
    std::fs::remove_dir_all(folder.join("audited")).expect("removed");
}

/// cargo-audit reads the lists as well.
fn cargo_audit_reads_the_lists() {
    let workspace = fixture("crate-lists");
    build(workspace.path());
    for service in ["one", "two"] {
        let path = packed(workspace.path(), service, service);
        let own = listed(&path);
        // An empty database: what counts is which crates it looks for.
        let database = tempfile::tempdir().expect("folder");
        std::fs::create_dir(database.path().join("crates")).expect("folder");
        ok(Command::new("git").args(["init", "--quiet"]).current_dir(database.path()));
        let mut audit = Command::new("cargo");
        audit.args(["audit", "--no-fetch", "--json", "--db"]).arg(database.path()).arg("bin").arg(&path);
        let said = run(&mut audit);
        let found: Value = serde_json::from_slice(&said.stdout).unwrap_or_else(|_| panic!("{}", text(&said.stderr)));
        assert_eq!(found["lockfile"]["dependency-count"], own.len(), "{found}");
    }
}

/// Neither the folder nor the time makes a difference; nothing is written twice; and the key leaves it out.
fn lists_depend_on_the_sources_alone() {
    let build = |project: &Project| {
        ok(&mut appbundle(project.path(), &["build"]));
        project.read("target/appbundle/docker/alpha/rootfs/usr/local/bin/alpha")
    };
    let [one, two] = [(); 2].map(|()| Project::new(&["alpha", "beta"]));
    let first = build(&one);
    assert!(first == build(&two));
    let again = text(&run(&mut appbundle(one.path(), &["build"])).stderr);
    assert!(again.contains("Fresh"), "{again}");
    let listed_at =
        |project: &Project| std::fs::metadata(project.path().join("target/appbundle/cache/listed/alpha")).expect("listed");
    let before = listed_at(&one).modified().expect("time");
    one.edit("Cargo.toml", |text| text + "compression = \"fast\"\n");
    assert!(build(&one) == first && listed_at(&one).modified().expect("time") == before);
    one.edit("Cargo.toml", |text| text + "sbom = false\n");
    assert!(!build(&one).windows(7).any(|window| window == b".dep-v0"));
}

/// An executable that cargo-auditable compiled keeps its list; of one without, nothing is claimed.
fn executables_of_others_keep_their_lists() {
    let workspace = fixture("crate-lists");
    let folder = workspace.path();
    let own = audited(folder, "two");
    let from = folder.join("audited").join(TRIPLE).join("release");
    ok(&mut appbundle(folder, &["build", "--no-compile", "-p", "two", "--bin-dir", from.to_str().expect("path")]));
    let kept = packed(folder, "two", "two");
    assert!(std::fs::read(&kept).expect("read") == std::fs::read(from.join("two")).expect("read"));
    assert_eq!(listed(&kept), own);
    let project = Project::new(&["alpha"]);
    project.binaries(&["alpha"]);
    ok(&mut project.pack(&[]));
    assert!(project.read("bin/alpha") == project.read("target/appbundle/docker/alpha/rootfs/usr/local/bin/alpha"));
}

/// A damaged list is told, and changes nothing.
fn damaged_lists_are_told() {
    let project = Project::new(&["alpha"]);
    project.binaries(&["alpha"]);
    project.write("list", "no list");
    let section = ["--add-section", ".dep-v0=list", "bin/alpha"];
    ok(Command::new("aarch64-linux-gnu-objcopy").args(section).current_dir(project.path()));
    let said = text(&run(&mut project.pack(&[])).stderr);
    assert!(said.contains("note[crates-incomplete]: failed to read `") && said.contains("in section `.dep-v0`"), "{said}");
    assert!(project.read("bin/alpha") == project.read("target/appbundle/docker/alpha/rootfs/usr/local/bin/alpha"));
}

/// In one image, each executable has its own list.
fn executables_in_one_image_have_their_own_lists() {
    let workspace = fixture("crate-lists");
    let folder = workspace.path();
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).expect("manifest");
    let table = "name = \"crate-lists\"\n";
    std::fs::write(folder.join("Cargo.toml"), manifest.replace(table, &format!("{table}layout = \"multi-binary\"\n")))
        .expect("written");
    let bundle = build(folder);
    let unpacked = tempfile::tempdir().expect("folder");
    ok(Command::new("tar").arg("xf").arg(&bundle).current_dir(unpacked.path()));
    let json = judge("syft", &["scan", "--quiet", "--output", "json", &format!("docker-archive:{}", bundle.display())]);
    let found: Value = serde_json::from_str(&json).expect("JSON");
    let roots: BTreeSet<&str> =
        found["artifacts"].as_array().expect("artifacts").iter().filter_map(|of| of["name"].as_str()).collect();
    for name in ["one", "two", "itoa", "memchr", "tiny-src"] {
        assert!(roots.contains(name), "{name}: {roots:?}");
    }
}

/// The packages of Debian's that syft finds in an archive, with their versions and sources, and the release.
fn debian_packages(bundle: &str) -> (BTreeMap<String, String>, String) {
    let json = judge("syft", &["scan", "--quiet", "--output", "json", &format!("docker-archive:{bundle}")]);
    let found: Value = serde_json::from_str(&json).expect("JSON");
    let packages = found["artifacts"].as_array().expect("artifacts").iter().filter(|of| of["type"] == "deb");
    let one = |of: &Value| (of["name"].as_str().expect("name").to_owned(), of["version"].as_str().expect("version").to_owned());
    (packages.map(one).collect(), format!("{} {}", found["distro"]["id"], found["distro"]["versionID"]))
}

/// As dpkg has them: of the architecture's own packages where these are installed, and not of the older ones of the cross compiler.
fn the_libraries_of_auto_are_packages() {
    let project = Project::new(&["alpha"]);
    project.binaries(&["alpha"]);
    let bundle = ok(&mut project.pack(&["--format", "docker"]));
    let (packages, release) = debian_packages(bundle.trim());
    let dpkg = |format: &str| judge("dpkg-query", &["-W", "-f", format, "libc6:arm64"]);
    assert_eq!(packages, BTreeMap::from([("libc6".to_owned(), dpkg("${Version}"))]));
    let own = std::fs::read_to_string("/etc/os-release").expect("os-release");
    let id = own.lines().find_map(|line| line.strip_prefix("VERSION_ID=")).expect("an id");
    assert_eq!(release, format!("\"debian\" {id}"));
    let cache = tempfile::tempdir().expect("folder");
    let mut trivy = Command::new("trivy");
    trivy.args(["image", "--quiet", "--format", "cyclonedx", "--cache-dir"]).arg(cache.path()).args(["--input", bundle.trim()]);
    let found: Value = serde_json::from_str(&ok(&mut trivy)).expect("JSON");
    let purls: Vec<&str> =
        found["components"].as_array().expect("components").iter().filter_map(|of| of["purl"].as_str()).collect();
    let release = own.lines().find_map(|line| line.strip_prefix("VERSION_ID=\"")).expect("an id").trim_end_matches('"');
    let libc = purls.iter().find(|purl| purl.starts_with("pkg:deb/debian/libc6@")).expect("libc6");
    assert!(libc.contains("arch=arm64") && libc.contains(&format!("distro=debian-{release}")), "{purls:?}");
    let shown = ok(&mut appbundle(project.path(), &["inspect", bundle.trim()]));
    assert!(shown.contains("libc6"), "{shown}");
}

/// One file for each image, the same from any folder, and the labels that registries show.
fn licences_are_packed() {
    let workspace = fixture("crate-lists");
    let folder = workspace.path();
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).expect("manifest");
    let table = "name = \"crate-lists\"\n";
    let edited = manifest.replace(table, &format!("{table}licenses = true\nrevision = true\n"));
    std::fs::write(folder.join("Cargo.toml"), edited).expect("written");
    let build = || text(&run(&mut appbundle(folder, &["build", "--locked", "--format", "docker"])).stderr);
    let said = build();
    assert!(
        said.contains("note[revision-unknown]: images have no label of the commit: the workspace is not in a Git repository"),
        "{said}"
    );
    assert!(
        said.contains("note[license-text]: the image of `two` has no text of the licences of itoa 1.0.99, two 0.1.0"),
        "{said}"
    );
    let read = |service: &str| {
        let path = format!("target/appbundle/docker/{service}/rootfs/usr/share/licenses/{service}.txt");
        std::fs::read_to_string(folder.join(path)).expect("licences")
    };
    let (one, two) = (read("one"), read("two"));
    assert!(two.contains("\nhex 0.4.3: MIT OR Apache-2.0\n") && two.contains("\nitoa 1.0.99: MIT OR Apache-2.0\n"), "{two}");
    assert!(
        two.contains("hex 0.4.3, LICENSE-MIT\n") && two.contains("Copyright (c) 2013-2014 The Rust Project Developers."),
        "{two}"
    );
    assert!(!two.contains("memchr") && one.contains("\nmemchr ") && !one.contains("unicode-ident"), "{one}");
    assert!(!two.contains(folder.to_str().expect("path")) && !two.contains("registry"), "{two}");
    // Every text is there once.
    let texts: Vec<&str> =
        one.split(&format!("\n{}\n", "=".repeat(100))).skip(1).map(|part| part.split_once("---\n").expect("a text").1).collect();
    assert!(texts.len() > 3 && texts.iter().collect::<BTreeSet<_>>().len() == texts.len(), "{texts:?}");
    assert!(build().contains("Fresh"));

    let git = |arguments: &[&str]| {
        ok(Command::new("git").args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(arguments).current_dir(folder))
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["reset", "--quiet", "target"]);
    git(&["commit", "--quiet", "--message", "one"]);
    let said = build();
    assert!(!said.contains("revision-unknown"), "{said}");
    let labels = |service: &str| {
        let found = judge(
            "skopeo",
            &["inspect", "--config", &format!("docker-archive:{}:com.example.crate-lists.{service}:1.0.0", bundle(folder))],
        );
        serde_json::from_str::<Value>(&found).expect("JSON")["config"]["Labels"].clone()
    };
    let commit = git(&["rev-parse", "HEAD"]);
    assert_eq!(labels("one")["org.opencontainers.image.revision"], commit.trim());
    assert_eq!(labels("one")["org.opencontainers.image.licenses"], "MIT");
    assert_eq!(labels("two")["org.opencontainers.image.source"], "https://example.com/two");
    std::fs::write(folder.join("new.txt"), "new").expect("written");
    let said = build();
    assert!(said.contains("`new.txt` has changed since the last commit"), "{said}");
    assert_eq!(labels("one")["org.opencontainers.image.revision"], Value::Null);
    // Images for development have neither.
    let planned = ok(&mut appbundle(folder, &["plan", "--format", "docker"]));
    assert!(planned.contains("/usr/share/licenses/one.txt"), "{planned}");
}

fn bundle(folder: &Path) -> String {
    folder.join("target/appbundle/com.example.crate-lists-1.0.0.docker.tar").display().to_string()
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(the_lists_are_those_of_cargo_auditable, [arm64_rust, cargo_auditable, syft, trivy, qemu_aarch64]),
        test!(a_service_with_c_code_has_the_list_of_cargo_auditable, [arm64_rust, arm64_c, cargo_auditable, syft, trivy]),
        test!(scanners_find_the_crates_of_the_example, [arm64_rust, cargo_auditable, syft, trivy]),
        test!(cargo_audit_reads_the_lists, [arm64_rust, cargo_audit]),
        test!(lists_depend_on_the_sources_alone, [arm64_rust]),
        test!(executables_of_others_keep_their_lists, [arm64_rust, cargo_auditable]),
        test!(damaged_lists_are_told, [arm64_cc]),
        test!(executables_in_one_image_have_their_own_lists, [arm64_rust, syft]),
        test!(the_libraries_of_auto_are_packages, [arm64_cc, arm64_c, syft, trivy]),
        test!(licences_are_packed, [arm64_rust, skopeo]),
    ])
}
