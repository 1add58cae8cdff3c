//! Which known vulnerabilities a bundle has: does `audit` find what the databases say, and no more?

#[path = "support/advisories.rs"]
mod advisories;
#[path = "support/forge.rs"]
mod forge;
mod support;

use std::path::Path;
use std::process::{Command, ExitCode};

use advisories::{advisory, database, debian_advisory, deflated, section, today};
use forge::{ForgedImage, docker_members, member, tar};
use serde_json::{Value, json};
use support::harness::{self, test};
use support::needs::{arm64_cc, cargo_audit, sarif_multitool, strace};
use support::{PROGRAM, Project, appbundle, fails, ok, run, text};

const BUNDLE: &str = "target/appbundle/com.example.demo-1.2.3.auterionos";

/// `alpha` uses `teapot`, and `kettle` through it; `beta` uses `kettle`, and packages of other origin.
fn project() -> Project {
    let project = Project::new(&["alpha", "beta"]);
    project.listed(
        "alpha",
        &section(&[
            ("alpha", "0.1.0", "local", &[1]),
            ("teapot", "1.2.3-rc.1", "crates.io", &[2]),
            ("kettle", "0.3.0", "crates.io", &[]),
        ]),
    );
    let build = r#"{"packages":[{"name":"beta","version":"0.1.0","source":"local","dependencies":[1,2,3],"root":true},
        {"name":"kettle","version":"0.3.0","source":"crates.io"},{"name":"saucer","version":"1.0.0","source":"git"},
        {"name":"spoon","version":"1.0.0","source":"crates.io","kind":"build"}]}"#;
    project.listed("beta", &deflated(build.as_bytes()));
    database(&project.path().join("db"));
    ok(&mut project.pack(&[]));
    project
}

fn audit(project: &Project, arguments: &[&str]) -> Command {
    let mut command = appbundle(project.path(), &["audit", BUNDLE, "--db", "db"]);
    command.args(arguments);
    command
}

/// The report, whatever the exit code.
fn report(command: &mut Command) -> Value {
    let output = run(command.args(["--format", "json"]));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)))
}

/// The ids of findings of which this is so.
fn ids(report: &Value, wanted: impl Fn(&Value) -> bool) -> Vec<&str> {
    let findings = report["findings"].as_array().expect("findings").iter();
    findings.filter(|finding| wanted(finding)).map(|finding| finding["id"].as_str().expect("id")).collect()
}

fn what_a_bundle_has_is_told() {
    let project = project();
    let report = report(&mut audit(&project, &[]));
    assert_eq!(ids(&report, |finding| finding["informational"].is_null()), ["RUSTSEC-2031-0001", "RUSTSEC-2031-0002"]);
    assert_eq!(ids(&report, |finding| !finding["informational"].is_null()), ["RUSTSEC-2031-0003"]);
    let keys: Vec<&str> = report.as_object().expect("map").keys().map(String::as_str).collect();
    assert_eq!(keys.join(" "), "file database crates packages incomplete notes vulnerabilities denied findings");
    assert_eq!(
        (&report["crates"], &report["vulnerabilities"], &report["incomplete"]),
        (
            &json!(2),
            &json!(2),
            &json!(["not looked up: 1 Debian package of alpha, beta, because no database has advisories of Debian 12"])
        )
    );
    assert_eq!(report["database"], json!({"folders": ["db"], "entries": 8, "newest": today()}));
    assert_eq!(
        report["findings"][0],
        json!({
            "id": "RUSTSEC-2031-0001", "aliases": ["CVE-2031-1001"], "informational": null, "title": "What teapot does wrong",
            "url": "https://rustsec.org/advisories/RUSTSEC-2031-0001.html", "date": today(), "severity": "critical", "score": 10.0,
            "cvss": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "ecosystem": "crates.io", "package": "teapot",
            "version": "1.2.3-rc.1", "purls": ["pkg:cargo/teapot@1.2.3-rc.1"], "binary-packages": [], "fixed-in": ["1.2.3"],
            "places": [{"services": ["alpha"], "file": "/usr/local/bin/alpha", "base": null, "path": ["alpha 0.1.0", "teapot 1.2.3-rc.1"]}],
            "vex": null,
        })
    );
    let kettle = &report["findings"][1];
    let services: Vec<&Value> = kettle["places"].as_array().expect("places").iter().map(|place| &place["services"][0]).collect();
    assert_eq!((services, &kettle["fixed-in"]), (vec![&json!("alpha"), &json!("beta")], &json!([])));
    assert_eq!(kettle["places"][0]["path"], json!(["alpha 0.1.0", "teapot 1.2.3-rc.1", "kettle 0.3.0"]));

    let output = run(&mut audit(&project, &[]));
    let (told, said) = (text(&output.stdout), text(&output.stderr));
    for part in [
        "2 vulnerabilities, 1 warning, in 2 crates and 1 Debian package; 8 advisories, the newest of ",
        "teapot 1.2.3-rc.1: RUSTSEC-2031-0001 (critical 10.0)",
        "also      CVE-2031-1001",
        "through   alpha 0.1.0 > teapot 1.2.3-rc.1 > kettle 0.3.0",
        "in        alpha, beta",
        "fixed in  no version",
        "kettle 0.3.0: RUSTSEC-2031-0003 (unmaintained)",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(
        said.contains(
            "error[vulnerable-packages]: `target/appbundle/com.example.demo-1.2.3.auterionos` has 2 known vulnerabilities"
        ),
        "{said}"
    );
    assert!(said.contains("help: take versions that fix it: `cargo update teapot@1.2.3-rc.1`"), "{said}");
}

fn only_what_is_denied_fails() {
    let project = project();
    for (deny, code) in [("low", 1), ("medium", 1), ("critical", 1)] {
        let output = run(&mut audit(&project, &["--deny", deny]));
        assert_eq!(output.status.code(), Some(code), "{deny}");
    }
    assert!(fails(&mut audit(&project, &["--deny", "worst"]), 2).contains("[possible values: low, medium, high, critical]"));
    std::fs::remove_file(project.path().join("db/crates/teapot/RUSTSEC-2031-0001.md")).expect("removed");
    ok(&mut audit(&project, &["--deny", "medium"]));
    let error = fails(&mut audit(&project, &["--deny", "low"]), 1);
    assert!(error.contains("has a known vulnerability of severity low or above") && error.contains("--vex-init"), "{error}");
    // What nobody rated may be as bad as can be.
    advisory(&project.path().join("db"), "RUSTSEC-2031-0009", "kettle", "", "[versions]\npatched = []");
    fails(&mut audit(&project, &["--deny", "critical"]), 1);
    std::fs::remove_dir_all(project.path().join("db/crates/kettle")).expect("removed");
    assert!(ok(&mut audit(&project, &[])).contains("no known vulnerabilities, in 2 crates"));
}

fn cargo_audit_says_the_same() {
    let project = project();
    for name in ["alpha", "beta"] {
        let file = format!("bin/{name}");
        let mut judge = Command::new("cargo-audit");
        judge.args([
            "audit",
            "--no-fetch",
            "--stale",
            "--json",
            "--db",
            "db",
            "--target-os",
            "linux",
            "--target-arch",
            "aarch64",
            "bin",
            &file,
        ]);
        let output = run(judge.current_dir(project.path()));
        let said: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)));
        let id = |list: &Value| -> Vec<String> {
            let list = list.as_array().cloned().unwrap_or_default();
            // It looks up what only build scripts use as well, which is not in the executable.
            let runs = list.iter().filter(|one| one["package"]["name"] != "spoon");
            runs.map(|one| one["advisory"]["id"].as_str().expect("id").to_owned()).collect()
        };
        let mut expected = id(&said["vulnerabilities"]["list"]);
        expected.extend(said["warnings"].as_object().into_iter().flatten().flat_map(|(_, list)| id(list)));
        expected.sort();
        let report = report(&mut audit(&project, &[]));
        let is_there = |finding: &Value| {
            finding["places"].as_array().expect("places").iter().any(|place| place["services"] == json!([name]))
        };
        let mut own: Vec<String> = ids(&report, is_there).into_iter().map(str::to_owned).collect();
        own.sort();
        assert!(!own.is_empty());
        assert_eq!(own, expected, "{name}");
    }
}

/// A docker archive whose image has these records of dpkg.
fn debian_archive(folder: &Path, release: &str) {
    let status = "Package: libtea6\nSource: teapot (1:2.0-3)\nStatus: install ok installed\nVersion: 1:2.0-3+b1\nArchitecture: arm64\n\n\
        Package: tea-bin\nSource: teapot\nStatus: install ok installed\nVersion: 1:2.0-3\nArchitecture: arm64\n\n\
        Package: spoon\nStatus: install ok installed\nVersion: 3.0-1\nArchitecture: all\n";
    let mut image = ForgedImage::new("shop:1", &["app"]);
    let layer = tar(&[member("var/lib/dpkg/status", status), member("usr/lib/os-release", release)]);
    image.config["rootfs"]["diff_ids"] = json!([
        cargo_appbundle::digest::Digest::of(&image.layers[0]).to_string(),
        cargo_appbundle::digest::Digest::of(&layer).to_string()
    ]);
    image.config["history"] = json!([{"created_by": "forge"}, {"created_by": "forge"}]);
    image.layers.push(layer);
    std::fs::write(folder.join("shop.tar"), tar(&docker_members(&[image]))).expect("written");
}

fn debian_packages_are_looked_up_by_their_source() {
    let folder = tempfile::tempdir().expect("folder");
    let at = folder.path().join("osv");
    debian_archive(folder.path(), "ID=debian\nVERSION_ID=\"12\"\n");
    debian_advisory(&at, "DEBIAN-CVE-2031-1", &["CVE-2031-1"], "teapot", Some("1:2.0-3+deb12u1"), "high");
    debian_advisory(&at, "DEBIAN-CVE-2031-2", &["CVE-2031-2"], "teapot", Some("1:2.0-3"), "high");
    debian_advisory(&at, "DEBIAN-CVE-2031-3", &["CVE-2031-3"], "teapot", None, "not yet assigned");
    debian_advisory(&at, "DEBIAN-CVE-2031-4", &["CVE-2031-4"], "spoon", None, "unimportant");
    debian_advisory(&at, "DSA-9001-1", &["CVE-2031-1", "CVE-2031-3"], "teapot", Some("1:2.0-3+deb12u1"), "");
    debian_advisory(&at, "DSA-9002-1", &["CVE-2031-5"], "spoon", Some("3.0-1+deb12u1"), "");
    let command = || appbundle(folder.path(), &["audit", "shop.tar", "--db", "osv"]);
    let report = report(&mut command());
    let found = ids(&report, |finding| finding["informational"].is_null());
    assert_eq!(found, ["DEBIAN-CVE-2031-1", "DSA-9002-1", "DEBIAN-CVE-2031-3"]);
    assert_eq!(ids(&report, |finding| finding["informational"] == "unimportant"), ["DEBIAN-CVE-2031-4"]);
    let first = &report["findings"][0];
    assert_eq!(
        (&first["package"], &first["version"], &first["ecosystem"]),
        (&json!("teapot"), &json!("1:2.0-3"), &json!("Debian:12"))
    );
    assert_eq!(first["binary-packages"], json!(["libtea6", "tea-bin"]));
    assert_eq!(first["purls"][1], "pkg:deb/debian/libtea6@1:2.0-3%2Bb1");
    assert_eq!((&first["fixed-in"], &first["severity"]), (&json!(["1:2.0-3+deb12u1"]), &json!("high")));
    assert_eq!(report["packages"], 3);
    let error = fails(&mut command(), 1);
    assert!(error.contains("help: take newer packages of the base: `cargo appbundle update`"), "{error}");

    // Of another release, or of another database, nothing is known.
    debian_archive(folder.path(), "ID=debian\nVERSION_ID=\"13\"\n");
    let said = text(&run(&mut command()).stderr);
    assert!(
        said.contains("not looked up: 3 Debian packages of shop:1, because no database has advisories of Debian 13"),
        "{said}"
    );
    debian_archive(folder.path(), "ID=ubuntu\nVERSION_ID=\"24.04\"\n");
    let said = text(&run(&mut command()).stderr);
    assert!(said.contains("nothing says of which release they are"), "{said}");
}

/// The C library says what it is.
fn the_c_library_of_a_base_without_records_is_looked_up() {
    let project = project();
    for library in ["ld-linux-aarch64.so.1", "libc.so.6", "libgcc_s.so.1"] {
        let bytes = std::fs::read(format!("/usr/aarch64-linux-gnu/lib/{library}")).expect("the sysroot's");
        let path = project.path().join("root/lib").join(library);
        std::fs::create_dir_all(path.parent().expect("folder")).expect("folder");
        std::fs::write(&path, bytes).expect("written");
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("executable");
    }
    project.edit("Cargo.toml", |text| text + "base = { rootfs = \"root\" }\n");
    ok(&mut project.pack(&[]));
    let osv = project.path().join("osv");
    debian_advisory(&osv, "DEBIAN-CVE-2031-1", &["CVE-2031-1"], "glibc", Some("2.36-9+deb12u3"), "high");
    debian_advisory(&osv, "DEBIAN-CVE-2031-2", &["CVE-2031-2"], "glibc", Some("2.36-1"), "high");
    let report = report(&mut audit(&project, &["--db", "osv"]));
    let of_debian: Vec<&Value> =
        report["findings"].as_array().expect("findings").iter().filter(|finding| finding["ecosystem"] == "Debian:12").collect();
    let [glibc] = of_debian[..] else { panic!("{of_debian:?}") };
    let banner = std::fs::read("/usr/aarch64-linux-gnu/lib/libc.so.6").expect("the sysroot's");
    let version = glibc["version"].as_str().expect("a version");
    let said = format!("(Debian GLIBC {version})");
    assert!(banner.windows(said.len()).any(|bytes| bytes == said.as_bytes()), "{version}");
    assert_eq!((&glibc["id"], &glibc["places"][0]["services"]), (&json!("DEBIAN-CVE-2031-1"), &json!(["alpha", "beta"])));
    assert_eq!((&glibc["binary-packages"], &report["incomplete"]), (&json!(["libc6"]), &json!([])));
}

fn a_vex_file_settles_what_does_no_harm() {
    let project = project();
    let said = text(&run(&mut audit(&project, &["--vex-init", "app.vex.json"])).stderr);
    assert!(said.contains("Wrote 2 statements to app.vex.json"), "{said}");
    let written = project.text("app.vex.json");
    let document: Value = serde_json::from_str(&written).expect("JSON");
    assert_eq!((&document["@context"], &document["version"]), (&json!("https://openvex.dev/ns/v0.2.0"), &json!(1)));
    assert_eq!(document["statements"][0]["products"], json!([{"@id": "pkg:cargo/teapot@1.2.3-rc.1"}]));
    // What is under investigation is not settled.
    fails(&mut audit(&project, &["--vex", "app.vex.json"]), 1);
    let error = fails(&mut audit(&project, &["--vex-init", "app.vex.json"]), 1);
    assert!(error.contains("`app.vex.json` exists, and is not overwritten"), "{error}");
    assert_eq!(project.text("app.vex.json"), written);

    let mut filled = document.clone();
    filled["statements"][0]["status"] = json!("not_affected");
    filled["statements"][0]["justification"] = json!("vulnerable_code_not_in_execute_path");
    filled["statements"][1]["status"] = json!("fixed");
    let other = json!({"vulnerability": {"name": "CVE-2031-7"}, "products": [{"@id": "pkg:cargo/cup@1.0.0"}], "status": "fixed"});
    filled["statements"].as_array_mut().expect("statements").push(other);
    project.write("app.vex.json", &filled.to_string());
    let output = run(&mut audit(&project, &["--vex", "app.vex.json"]));
    let (told, said) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{said}");
    assert!(told.contains("no known vulnerabilities, 1 warning, 2 settled by VEX"), "{told}");
    assert!(told.contains("VEX       not_affected: vulnerable_code_not_in_execute_path"), "{told}");
    assert!(said.contains("the VEX statement on CVE-2031-7 matches nothing here"), "{said}");

    // One service has it, the other does not: by the alias, as a part of one product.
    let part = json!({"vulnerability": {"name": "rustsec-2031-0002"}, "status": "not_affected", "impact_statement": "it only boils",
        "products": [{"@id": "pkg:cargo/alpha@0.1.0", "subcomponents": [{"@id": "pkg:cargo/kettle"}]}]});
    filled["statements"] = json!([part]);
    project.write("app.vex.json", &filled.to_string());
    let report = report(&mut audit(&project, &["--vex", "app.vex.json"]));
    let settled = |is: bool| move |finding: &Value| finding["id"] == "RUSTSEC-2031-0002" && finding["vex"].is_null() != is;
    let place = |is: bool| {
        let found = report["findings"].as_array().expect("findings").iter().find(|finding| settled(is)(finding));
        found.expect("there")["places"][0]["services"][0].clone()
    };
    assert_eq!((place(true), place(false)), (json!("alpha"), json!("beta")));
}

fn sarif_is_as_it_should_be() {
    let project = project();
    let vex = json!({"@context": "https://openvex.dev/ns/v0.2.0", "@id": "urn:a", "author": "a", "timestamp": "2031-01-01T00:00:00Z",
        "version": 1, "statements": [{"vulnerability": {"name": "CVE-2031-1001"}, "products": [{"@id": "pkg:cargo/teapot"}],
        "status": "not_affected", "justification": "component_not_present"}]});
    project.write("app.vex.json", &vex.to_string());
    for more in [&[][..], &["--vex", "app.vex.json"]] {
        let output = run(audit(&project, &["--format", "sarif"]).args(more));
        project.write("audit.sarif", &text(&output.stdout));
        let mut judge = Command::new("sarif-multitool");
        judge
            .args(["validate", "audit.sarif", "--output", "judged.sarif", "--log", "ForceOverwrite"])
            .args(["--rule-kind", "Sarif;Ghas"]);
        ok(judge.env("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1").current_dir(project.path()));
        let judged: Value = serde_json::from_str(project.text("judged.sarif").trim_start_matches('\u{feff}')).expect("JSON");
        let faults: Vec<&Value> = judged["runs"][0]["results"].as_array().into_iter().flatten().collect();
        let faults: Vec<&&Value> = faults.iter().filter(|fault| fault["level"] == "error").collect();
        assert!(faults.is_empty(), "{faults:#?}");
        let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let run = &document["runs"][0];
        assert_eq!(run["results"].as_array().expect("results").len(), 3);
        let teapot = run["results"].as_array().expect("results").iter().find(|result| result["ruleId"] == "RUSTSEC-2031-0001");
        let teapot = teapot.expect("there");
        assert_eq!(teapot["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], BUNDLE);
        assert_eq!(teapot["suppressions"].is_null(), more.is_empty());
        let rule = &run["tool"]["driver"]["rules"][teapot["ruleIndex"].as_u64().expect("index") as usize];
        assert_eq!((&rule["id"], &rule["properties"]["security-severity"]), (&json!("RUSTSEC-2031-0001"), &json!("10.0")));
    }
}

/// A registry in a folder, so that nothing is fetched.
fn vendored(project: &Project, name: &str, version: &str, dependencies: &str) {
    let manifest =
        format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2021\"\n\n[dependencies]\n{dependencies}");
    project.write(&format!("vendor/{name}/Cargo.toml"), &manifest);
    project.write(&format!("vendor/{name}/src/lib.rs"), "");
    project.write(&format!("vendor/{name}/.cargo-checksum.json"), "{\"files\":{}}");
}

fn a_workspace_is_audited_before_it_is_built() {
    let project = Project::new(&["alpha", "beta"]);
    project.write(
        ".cargo/config.toml",
        "[source.crates-io]\nreplace-with = \"vendor\"\n\n[source.vendor]\ndirectory = \"vendor\"\n",
    );
    vendored(&project, "teapot", "1.0.0", "kettle = \"0.3\"\n[target.'cfg(windows)'.dependencies]\nsaucer = \"1\"\n");
    vendored(&project, "kettle", "0.3.0", "");
    vendored(&project, "saucer", "1.0.0", "");
    vendored(&project, "spoon", "1.0.0", "");
    project.edit("services/alpha/Cargo.toml", |text| text + "\n[dependencies]\nteapot = \"1\"\n");
    project.edit("services/beta/Cargo.toml", |text| {
        text + "\n[features]\nhot = [\"dep:kettle\"]\n\n[dependencies]\nkettle = { version = \"0.3\", optional = true }\n\n\
            [build-dependencies]\nspoon = \"1\"\n\n[dev-dependencies]\nteapot = \"1\"\n"
    });
    database(&project.path().join("db"));
    let command = || appbundle(project.path(), &["audit", "--db", "db"]);
    let first = report(&mut command());
    assert_eq!(ids(&first, |_| true), ["RUSTSEC-2031-0001", "RUSTSEC-2031-0002", "RUSTSEC-2031-0003"]);
    let kettle = &first["findings"][1]["places"];
    assert_eq!(
        *kettle,
        json!([{"services": ["alpha"], "file": null, "base": null, "path": ["alpha 0.1.0", "teapot 1.0.0", "kettle 0.3.0"]}])
    );
    assert!(!project.path().join("target").exists(), "nothing is built");
    // A feature that the table enables brings it into the other service as well.
    project.edit("services/beta/Cargo.toml", |text| {
        text.replace("[package.metadata.service]", "[package.metadata.service]\nfeatures = [\"hot\"]")
    });
    assert_eq!(report(&mut command())["findings"][1]["places"][1]["services"], json!(["beta"]));
    assert_eq!(ids(&report(command().args(["-p", "beta"])), |_| true), ["RUSTSEC-2031-0002", "RUSTSEC-2031-0003"]);

    let output = run(command().args(["--format", "sarif"]));
    let sarif: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    let lock = project.text("Cargo.lock");
    let line = 1 + lock.lines().position(|line| line == "name = \"teapot\"").expect("locked");
    assert_eq!(*place, json!({"artifactLocation": {"uri": "Cargo.lock"}, "region": {"startLine": line}}));

    // What is not on this machine is not fetched.
    std::fs::remove_dir_all(project.path().join("vendor/kettle")).expect("removed");
    let error = fails(&mut command(), 1);
    assert!(error.contains("kettle"), "{error}");
}

fn no_connection_is_opened() {
    let project = project();
    for arguments in [&["audit", BUNDLE, "--db", "db"][..], &["audit", "--db", "db"]] {
        let mut traced = Command::new("strace");
        traced.args(["-f", "-qq", "-e", "trace=network", "-o", "trace", PROGRAM, "appbundle"]).args(arguments);
        run(traced.current_dir(project.path()));
        let trace = project.text("trace");
        let outside: Vec<&str> = trace.lines().filter(|line| line.contains("AF_INET")).collect();
        assert!(outside.is_empty(), "{arguments:?}: {}", outside.join("\n"));
    }
}

fn databases_are_found_where_others_keep_them() {
    let project = project();
    let home = tempfile::tempdir().expect("folder");
    let command = || {
        let mut command = appbundle(project.path(), &["audit", BUNDLE]);
        command.env("HOME", home.path()).env("CARGO_HOME", home.path().join("cargo"));
        command
    };
    let error = fails(&mut command(), 1);
    assert!(error.contains("error[advisory-database]: there is no database of advisories on this machine"), "{error}");
    assert!(error.contains("help: clone the RustSec advisory-db with `git clone`"), "{error}");
    let folders = ["cargo/advisory-db", ".cargo/advisory-db", ".cargo/advisory-dbs/advisory-db-3157b0e258782691"];
    for folder in folders {
        database(&home.path().join(folder));
    }
    let report = report(&mut command());
    let expected: Vec<String> = folders.iter().map(|folder| home.path().join(folder).display().to_string()).collect();
    assert_eq!(report["database"]["folders"], json!(expected));
    // The same advisory in each of them is one finding.
    assert_eq!(ids(&report, |_| true).len(), 3);
}

fn an_old_or_broken_database_is_not_believed() {
    let project = project();
    let at = |name: &str| project.path().join("db").join(name);
    let teapot = std::fs::read_to_string(at("crates/teapot/RUSTSEC-2031-0001.md")).expect("read");
    for (name, content, words) in [
        ("crates/teapot/BAD-1.md", "# Tea", "it does not begin with a block of TOML"),
        ("crates/teapot/BAD-1.md", &teapot.replace(">= 1.2.3", "soon"), "`soon` is not a range of versions"),
        ("crates/teapot/BAD-1.md", &format!("```toml\nx = {}\n```\n", "[".repeat(200_000)), "its TOML is invalid"),
        ("BAD-1.json", "{\"id\": \"A\"}", "missing field `modified`"),
        ("BAD-1.json", &format!("{{\"id\": \"A\", \"x\": {}", "[".repeat(200_000)), "EOF while parsing a list"),
        ("BAD-1.json", "", "EOF while parsing"),
    ] {
        std::fs::write(at(name), content).expect("written");
        let error = fails(&mut audit(&project, &[]), 1);
        let place = format!("`{name}` is no advisory");
        for part in ["failed to read the advisory database `db`", &place, words] {
            assert!(error.contains(part), "{part}: {error}");
        }
        std::fs::remove_file(at(name)).expect("removed");
    }
    std::fs::File::create(at("huge.json")).expect("created").set_len((32 << 20) + 1).expect("a sparse file");
    assert!(fails(&mut audit(&project, &[]), 1).contains("`huge.json` is larger than 33554432 bytes"));
    std::fs::remove_file(at("huge.json")).expect("removed");

    for entry in walkdir::WalkDir::new(at("")).into_iter().flatten().filter(|entry| entry.file_type().is_file()) {
        let text = std::fs::read_to_string(entry.path()).expect("read").replace(&today(), "2021-02-03");
        std::fs::write(entry.path(), text).expect("written");
    }
    let said = text(&run(&mut audit(&project, &[])).stderr);
    assert!(
        said.contains("warning: the newest advisory is of 2021-02-03, ") && said.contains(" days ago; update the database"),
        "{said}"
    );

    std::fs::remove_dir_all(at("crates")).expect("removed");
    assert!(fails(&mut audit(&project, &[]), 1).contains("it has no advisories: neither `crates/NAME/*.md`"));
    std::fs::remove_dir_all(at("")).expect("removed");
    assert!(fails(&mut audit(&project, &[]), 1).contains("there is no folder `db`"));
}

fn what_is_not_listed_is_named() {
    let project = project();
    let words = |project: &Project| {
        ok(&mut project.pack(&[]));
        text(&run(&mut audit(project, &[])).stderr)
    };
    project.binaries(&["beta"]);
    let said = words(&project);
    assert!(
        said.contains(
            "warning: incomplete: `/usr/local/bin/beta` of beta has no list of its crates; executables that `cargo appbundle build`"
        ),
        "{said}"
    );
    assert!(said.contains("has 2 known vulnerabilities"), "{said}");
    let circle = r#"{"packages":[{"name":"a","version":"1.0.0","source":"local","dependencies":[1]},
        {"name":"b","version":"1.0.0","source":"local","dependencies":[0]}]}"#;
    for (section, why) in [
        (b"no zlib".to_vec(), "failed to read the list of crates in section `.dep-v0`"),
        (deflated(circle.as_bytes()), "is in a circle of dependencies"),
        (deflated(&[b'[', 200, 0]), "failed to read the list of crates"),
        (deflated("[".repeat(200_000).as_bytes()), "failed to read the list of crates"),
        (deflated(&vec![b' '; 9 << 20]), "limit of 8388608 bytes"),
    ] {
        project.listed("beta", &section);
        let said = words(&project);
        assert!(said.contains("warning: incomplete: /usr/local/bin/beta: ") && said.contains(why), "{why}: {said}");
    }
    project.binaries(&["alpha", "beta"]);
    let said = words(&project);
    assert!(
        said.contains("error[audit-incomplete]: `target/appbundle/com.example.demo-1.2.3.auterionos` cannot be audited"),
        "{said}"
    );
}

fn bad_vex_files_are_refused() {
    let project = project();
    for (content, words) in [
        ("", "it is not OpenVEX: EOF"),
        ("{\"@context\": \"https://cyclonedx.org\", \"statements\": []}", "its `@context` is `https://cyclonedx.org`"),
        (
            "{\"@context\": \"https://openvex.dev/ns\", \"statements\": [{\"vulnerability\": \"A\", \"products\": [\"x\"], \"status\": \"ok\"}]}",
            "statement 1 is not valid",
        ),
    ] {
        project.write("bad.json", content);
        let error = fails(&mut audit(&project, &["--vex", "bad.json"]), 1);
        assert!(error.contains("error[vex-invalid]: failed to read the VEX file `bad.json`") && error.contains(words), "{error}");
    }
    assert!(fails(&mut audit(&project, &["--vex", "none.json"]), 1).contains("failed to read the VEX file `none.json`"));
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(what_a_bundle_has_is_told, [arm64_cc]),
        test!(only_what_is_denied_fails, [arm64_cc]),
        test!(cargo_audit_says_the_same, [arm64_cc, cargo_audit]),
        test!(debian_packages_are_looked_up_by_their_source),
        test!(the_c_library_of_a_base_without_records_is_looked_up, [arm64_cc]),
        test!(a_vex_file_settles_what_does_no_harm, [arm64_cc]),
        test!(sarif_is_as_it_should_be, [arm64_cc, sarif_multitool]),
        test!(a_workspace_is_audited_before_it_is_built),
        test!(no_connection_is_opened, [arm64_cc, strace]),
        test!(databases_are_found_where_others_keep_them, [arm64_cc]),
        test!(an_old_or_broken_database_is_not_believed, [arm64_cc]),
        test!(what_is_not_listed_is_named, [arm64_cc]),
        test!(bad_vex_files_are_refused, [arm64_cc]),
    ])
}
