//! `cargo appbundle test`: the containers that tests need, there while they run and gone whatever happens.

mod support;

use std::process::{Command, ExitCode, Output};
use std::time::Instant;

use support::harness::{self, test};
use support::needs::docker;
use support::running::{Proxy, Running, image, left, position, start};
use support::server::Server;
use support::{Project, appbundle, fails, judge, ok, run, text};

const SERVER: &str = include_str!("programs/server.c");

/// Tests that look at what they were given, fail, or last; those are ignored unless they are asked for.
const TESTS: &str = r#"
use std::io::{Read, Write};

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

#[test]
fn the_dependency_answers() {
    assert_eq!(variable("DB_ADDRESS"), format!("{}:{}", variable("DB_HOST"), variable("DB_PORT")));
    assert_eq!(variable("URL"), format!("db://{}:{}/$${{x}}", variable("DB_HOST"), variable("DB_PORT")).replace("$$", "$"));
    let mut stream = std::net::TcpStream::connect(variable("DB_ADDRESS")).expect("the dependency");
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").expect("asked");
    let mut page = String::new();
    stream.read_to_string(&mut page).expect("answered");
    assert!(page.starts_with("HTTP/1.0 200"), "{page}");
    println!("it answers at {}", variable("DB_ADDRESS"));
}

#[test]
#[ignore = "it fails on purpose: asked for by name where a failure is to be seen"]
fn fails() {
    panic!("as it should");
}

#[test]
#[ignore = "it lasts on purpose: asked for by name where a run is to be stopped"]
fn lasts() {
    std::fs::write(variable("PID_FILE"), std::process::id().to_string()).expect("written");
    println!("lasting");
    std::thread::sleep(std::time::Duration::from_secs(120));
}
"#;

const TABLE: &str = "
[package.metadata.service.test]
environment = { URL = \"db://${db.host}:${db.port}/$${x}\" }
[package.metadata.service.test.dependencies.db]
image = \"IMAGE\"
environment = { PORT = \"8000\", GREETING = \"the database\" }
ports = [8000]
MORE
";

fn project(app: &str, image: &str, more: &str) -> Project {
    let project = Project::named(app, &[]);
    project.service("store", &TABLE.replace("IMAGE", image).replace("MORE", more));
    project.write("services/store/tests/it.rs", TESTS);
    project.service("plain", "");
    project
}

fn test(project: &Project, arguments: &[&str]) -> Command {
    let mut command = appbundle(project.path(), &["test", "--color", "never"]);
    command.args(arguments).env("PID_FILE", project.path().join("pid")).env_remove("DB_ADDRESS");
    command
}

/// Whether the process that a lasting test noted still runs.
fn lasts(project: &Project) -> bool {
    let pid = project.text("pid");
    // One that has ended may stay for as long as nobody asks how.
    let state = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    state.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// A test run in the middle of its lasting test.
fn lasting(project: &Project) -> Running {
    let mut running = start(&mut test(project, &["store", "--", "--test", "it", "--", "--nocapture", "--ignored", "lasts"]));
    running.wait_for("lasting");
    running
}

fn tests_find_what_they_need_and_their_exit_code_is_ours() {
    let project = project("tested", &image("appbundle-test-db", SERVER), "");
    for arguments in [&["store"][..], &[]] {
        let Output { status, stdout, stderr } = run(&mut test(&project, arguments));
        let (shown, said) = (text(&stdout), text(&stderr));
        assert_eq!(status.code(), Some(0), "{said}{shown}");
        assert!(shown.contains("test the_dependency_answers ... ok"), "{shown}");
        assert!(position(&said, "Healthy db") < position(&said, "tests/it.rs"), "{said}");
        assert!(!said.contains("started with nothing") && !said.contains("plain"), "{said}");
        assert_eq!(left("tested"), "");
    }
    let Output { status, stderr, .. } =
        run(&mut test(&project, &["store", "--", "--test", "it", "--", "--include-ignored", "fails"]));
    let said = text(&stderr);
    assert_eq!(status.code(), Some(101), "{said}");
    assert!(position(&said, "test failed") < position(&said, "db | started with nothing and the database"), "{said}");
    assert_eq!(left("tested"), "");
    // A secret of a dependency may come from a file.
    project.edit("services/store/Cargo.toml", |text| {
        text.replace(", GREETING = \"the database\" }", " }\nsecrets = { GREETING = { secret = \"db\", key = \"greeting\" } }")
    });
    let error = fails(test(&project, &["store"]).env_remove("GREETING"), 1);
    assert!(error.contains("the variable `GREETING` of the dependency `db` is not set"), "{error}");
    project.write(".env", "export GREETING=\"of a file\" # theirs\n");
    let said = fails(test(&project, &["store", "--", "--test", "it", "--", "--ignored", "fails"]).env_remove("GREETING"), 101);
    assert!(said.contains("db | started with nothing and of a file"), "{said}");
    // Without a table it is `cargo test`, for which no engine is needed.
    let mut command = test(&project, &["plain"]);
    ok(command.env("DOCKER_HOST", "unix:///nonexistent"));
}

/// A dependency without an image is the app's service of this name, with its table and the digest that is pinned.
fn services_of_others_are_dependencies_by_name() {
    let image = image("appbundle-test-db", SERVER);
    let project = project("testedbyname", "IMAGE", "wait = 20");
    project.edit("services/store/Cargo.toml", |text| {
        text.replace("image = \"IMAGE\"\n", "").replace("PORT = \"8000\", ", "").replace("ports = [8000]\n", "")
    });
    let service = format!(
        "\n[workspace.metadata.appbundle.services.db]\nimage = \"{image}\"\nenvironment = {{ PORT = \"8000\", GREETING = \"the service\" }}\nports = [8000]\n"
    );
    project.edit("Cargo.toml", |text| text + &service);
    let tests = ["store", "--", "--test", "it", "--", "--include-ignored", "--skip", "lasts"];
    let output = run(&mut test(&project, &tests));
    let (shown, said) = (text(&output.stdout), text(&output.stderr));
    assert!(shown.contains("test the_dependency_answers ... ok"), "{said}{shown}");
    assert!(said.contains("db | started with nothing and the database"), "{said}");
    assert_eq!(left("testedbyname"), "");

    // The files for development have it once.
    let generated = |table: &str| {
        project.edit("services/store/Cargo.toml", |text| text.replace("\n[package.metadata.service.test]", table));
        ok(&mut appbundle(project.path(), &["generate", "--for", "dev"]));
        project.text("target/appbundle/dev/testedbyname-dev/docker-compose.dev.yml")
    };
    let file = generated("\n[package.metadata.service.test]");
    assert!(file.contains("DB_ADDRESS: db:8000") && file.matches("\n  db:\n").count() == 1, "{file}");
    let file = generated("network-mode = \"host\"\n\n[package.metadata.service.test]");
    assert!(file.contains("DB_ADDRESS: 127.0.0.1:8000"), "{file}");

    let digest = format!("sha256:{}", "12".repeat(32));
    let pin =
        format!("version = 1\n\n[[image]]\nreference = \"docker.io/library/{image}\"\ndigest = \"{digest}\"\nplatform = []\n");
    project.write("appbundle.lock", &pin);
    let error = fails(&mut test(&project, &["store", "--offline"]), 1);
    assert!(
        error.contains(&format!("the image `docker.io/library/appbundle-test-db@{digest}` of the dependency `db`")),
        "{error}"
    );

    for (from, to, said) in [
        ("dependencies.db]", "dependencies.bd]", "the app has no service `bd` whose image others made; did you mean `db`?"),
        (
            "dependencies.bd]",
            "dependencies.db]\nimage = \"x:1\"",
            "the dependency `db` has the same name as a service; without `image`, it is that service",
        ),
    ] {
        project.edit("services/store/Cargo.toml", |text| text.replace(from, to));
        let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
        assert!(error.contains(said), "{error}");
    }
}

fn two_runs_of_one_project_do_not_meet() {
    let project = project("twofold", &image("appbundle-test-db", SERVER), "");
    ok(&mut test(&project, &["store"]));
    let arguments = ["store", "--", "--test", "it", "--", "--nocapture"];
    let runs = [start(&mut test(&project, &arguments)), start(&mut test(&project, &arguments))];
    let said = runs.map(|run| {
        let (code, said) = run.end();
        assert_eq!(code, Some(0), "{said}");
        said
    });
    let address = |said: &str| said.lines().find(|line| line.contains("it answers at")).map(str::to_owned);
    assert_ne!(address(&said[0]), address(&said[1]), "{said:?}");
    assert_eq!(left("twofold"), "");
}

fn ctrl_c_ends_the_tests_and_removes_what_they_needed() {
    let project = project("interrupted", &image("appbundle-test-db", SERVER), "");
    for signal in ["INT", "TERM"] {
        let running = lasting(&project);
        running.signal(signal);
        let (code, said) = running.end();
        assert_eq!(code, Some(130), "{said}");
        assert_eq!(left("interrupted"), "");
        assert!(!lasts(&project), "{said}");
    }
}

fn ctrl_c_does_not_wait_for_an_image_that_is_pulled() {
    let registry = Server::stalling();
    let project = project("stalled", &format!("{}/slow:1", registry.host), "");
    let mut running = start(&mut test(&project, &["store"]));
    running.wait_for("Pulling");
    registry.wait_for("/manifests/1");
    let since = Instant::now();
    running.signal("INT");
    let (code, said) = running.end();
    assert_eq!(code, Some(130), "{said}");
    assert!(since.elapsed() < Server::STALL / 2, "{:?}: {said}", since.elapsed());
    assert_eq!(left("stalled"), "");
}

fn what_a_killed_run_leaves_the_next_one_removes() {
    let project = project("killed", &image("appbundle-test-db", SERVER), "");
    let other = lasting(&project);
    let first = left("killed").lines().count();
    let killed = lasting(&project);
    let pid = project.text("pid");
    killed.signal("KILL");
    // What is left of the test holds the streams of who started it.
    ok(Command::new("kill").args(["-s", "KILL", &pid]));
    let (code, _) = killed.end();
    assert_eq!(code, None);
    assert_eq!(left("killed").lines().count(), 2 * first);
    let Output { status, stderr, .. } = run(&mut test(&project, &["store"]));
    let said = text(&stderr);
    assert!(status.success() && said.contains("Removed leftovers of a killed run: killed-test-store-"), "{said}");
    // The run that lives keeps its own.
    assert_eq!(left("killed").lines().count(), first, "{said}");
    other.signal("INT");
    assert_eq!(other.end().0, Some(130));
    assert_eq!(left("killed"), "");
}

fn what_cannot_be_removed_yet_does_not_keep_the_next_run_from_its_work() {
    let image = image("appbundle-test-db", SERVER);
    let project = project("held", &image, "");
    ok(&mut test(&project, &["store"]));
    // A network of a run that is gone, with a container in it that is somebody else's.
    let namespace = std::fs::read_link("/proc/self/ns/pid").expect("namespace");
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("boot");
    let label = format!("io.github.cargo-appbundle.owner=4194999 1 {} {}", namespace.display(), boot.trim());
    judge("docker", &["network", "create", "--label", &label, "held-network"]);
    judge("docker", &["run", "-d", "--name", "held-guest", "--network", "held-network", "-e", "PORT=8000", &image]);
    let Output { status, stderr, .. } = run(&mut test(&project, &["store"]));
    judge("docker", &["rm", "-f", "held-guest"]);
    let said = text(&stderr);
    assert_eq!(status.code(), Some(0), "{said}");
    // Once nobody is in it, it goes.
    ok(&mut test(&project, &["store"]));
    assert_eq!(left("held"), "");
}

fn what_does_not_become_ready_is_told_with_its_output() {
    let name = image("appbundle-test-db", SERVER);
    let sick = project("unready", &name, "healthcheck = { path = \"/\", port = 8000 }\nwait = 1\nargs = [\"here\"]");
    sick.service(
        "store",
        &sick
            .text("services/store/Cargo.toml")
            .split("[package.metadata.service]\n")
            .nth(1)
            .expect("table")
            .replace("PORT =", "SICK = \"1\", PORT ="),
    );
    let error = fails(&mut test(&sick, &["store"]), 1);
    assert!(error.contains("the dependency `db` is not healthy after 1 s: GET :8000/: "), "{error}");
    assert!(error.contains("help: ") && error.contains("db | started with here") && !error.contains("Running"), "{error}");
    assert_eq!(left("unready"), "");
    // Nobody takes connections at this port.
    let silent = project("silent", &name, "wait = 1\nhealthcheck = { port = 9000 }");
    let table = silent.text("services/store/Cargo.toml").replace("[8000]", "[8000, 9000]");
    silent.write("services/store/Cargo.toml", &table);
    let error = fails(&mut test(&silent, &["store"]), 1);
    assert!(error.contains("port 9000: "), "{error}");
    silent.write("services/store/Cargo.toml", &table.replace("PORT =", "FAIL = \"3\", PORT ="));
    let error = fails(&mut test(&silent, &["store"]), 1);
    assert!(error.contains("the dependency `db` ended with exit code 3") && error.contains("db | failing"), "{error}");
    assert_eq!(left("silent"), "");
}

fn an_image_that_is_nowhere_and_an_engine_that_goes_away_are_told() {
    let nowhere = project("nowhere", "localhost:1/nowhere:1", "");
    let error = fails(&mut test(&nowhere, &["store", "--offline"]), 1);
    assert!(error.contains("does not have the image `localhost:1/nowhere:1` of the dependency `db`"), "{error}");
    assert!(error.contains("help: run `docker pull localhost:1/nowhere:1`"), "{error}");
    let error = fails(&mut test(&nowhere, &["store"]), 1);
    assert!(error.contains("failed to pull the image `localhost:1/nowhere:1` of the dependency `db`"), "{error}");
    assert_eq!(left("nowhere"), "");

    let cut = project("severed", &image("appbundle-test-db", SERVER), "");
    let proxy = Proxy::start();
    let mut command = test(&cut, &["store", "--", "--test", "it", "--", "--nocapture", "--ignored", "lasts"]);
    let mut running = start(command.env("DOCKER_HOST", proxy.url()));
    running.wait_for("lasting");
    proxy.cut();
    running.signal("INT");
    let (code, said) = running.end();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("stopped answering while"), "{said}");
    assert_ne!(left("severed"), "");
    ok(&mut test(&cut, &["store"]));
    assert_eq!(left("severed"), "");
}

fn mistakes_in_the_tables_are_told_with_their_place() {
    let wrong = project("wrong", "x y", "wait = 0\nhealthcheck = { path = \"/\" }");
    let error = fails(&mut test(&wrong, &["store"]), 1);
    assert!(
        error.contains("`wait` cannot be `0`: it must be at least 1") && error.contains("services/store/Cargo.toml:14:8"),
        "{error}"
    );
    let wrong = project(
        "wrong",
        "x y",
        "healthcheck = { path = \"/\" }\n[package.metadata.service.dev]\nenvironment = { A = \"${bd.port}\", B = \"${db.host}\" }\n[package.metadata.service.dev.dependencies.bb]\nimage = \"x\"\n",
    );
    let error = fails(&mut appbundle(wrong.path(), &["plan"]), 1);
    for part in [
        "`x y` is not an image",
        "services/store/Cargo.toml:11:9",
        "`healthcheck` needs one of `port`, `port` and `path`",
        "`${bd.port}` does not name a dependency; did you mean `bb`?",
        "services/store/Cargo.toml:16:21",
        "`${db.host}` does not name a dependency",
    ] {
        assert!(error.contains(part), "{part} in\n{error}");
    }
    let right = project("right", "x", "");
    right.service("other", &TABLE.replace("IMAGE", "y").replace("MORE", ""));
    let error = fails(&mut appbundle(right.path(), &["plan"]), 1);
    assert!(error.contains("the services `other` and `store` define the dependency `db` differently"), "{error}");
    right.service("other", "");
    let error = fails(&mut test(&right, &["stor"]), 1);
    assert!(error.contains("no service or package named `stor`; did you mean `store`?"), "{error}");
    right.service("store", "");
    let error = fails(&mut test(&right, &[]), 1);
    assert!(error.contains("no service has a table `[package.metadata.service.test]`") && error.contains("help: "), "{error}");
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(tests_find_what_they_need_and_their_exit_code_is_ours, [docker]),
        test!(services_of_others_are_dependencies_by_name, [docker]),
        test!(two_runs_of_one_project_do_not_meet, [docker]),
        test!(ctrl_c_ends_the_tests_and_removes_what_they_needed, [docker]),
        test!(ctrl_c_does_not_wait_for_an_image_that_is_pulled, [docker]),
        test!(what_a_killed_run_leaves_the_next_one_removes, [docker]),
        test!(what_cannot_be_removed_yet_does_not_keep_the_next_run_from_its_work, [docker]),
        test!(what_does_not_become_ready_is_told_with_its_output, [docker]),
        test!(an_image_that_is_nowhere_and_an_engine_that_goes_away_are_told, [docker]),
        test!(mistakes_in_the_tables_are_told_with_their_place),
    ])
}
