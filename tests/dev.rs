//! `cargo appbundle dev`: what runs follows its sources.

mod support;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use support::harness::{self, test};
use support::needs::{compose, curl, docker};
use support::running::{Proxy, Running, image, left, position, start};
use support::server::Server;
use support::{Project, appbundle, fails, free_ports, judge, ok};

const SERVER: &str = include_str!("programs/server.c");

/// A service that says what it finds, and ends on SIGTERM.
const SERVICE: &str = r#"
use std::io::{Read, Write};

mod version;

unsafe extern "C" {
    fn signal(number: i32, handler: extern "C" fn(i32)) -> usize;
    fn _exit(code: i32) -> !;
}

extern "C" fn end(_: i32) {
    unsafe { _exit(0) }
}

fn main() {
    unsafe { signal(15, end) };
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let note = std::fs::read_to_string("/usr/src/app/note.txt").unwrap_or_default();
    println!("version {} in {} with `{}`", version::VERSION, variable("ENV"), note.trim());
    if std::fs::write("/usr/src/app/written", "").is_ok() {
        println!("its sources can be written");
    }
    if !variable("DB_ADDRESS").is_empty() {
        println!("{}: {}", variable("DB_URL"), std::net::TcpStream::connect(variable("DB_ADDRESS")).is_ok());
    }
    let listener = std::net::TcpListener::bind("0.0.0.0:8000").expect("port");
    for mut stream in listener.incoming().flatten() {
        let _ = stream.read(&mut [0; 512]);
        let _ = stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nok");
    }
}
"#;

fn version(project: &Project, service: &str, text: &str) {
    project.write(&format!("services/{service}/src/version.rs"), &format!("pub const VERSION: &str = {text};\n"));
}

fn project(app: &str, services: &[(&str, &str)]) -> Project {
    let project = Project::named(app, &[]);
    for (service, table) in services {
        project.service(service, table);
        project.write(&format!("services/{service}/src/main.rs"), SERVICE);
        project.write(&format!("services/{service}/note.txt"), &format!("the note of {service}\n"));
        version(&project, service, "\"one\"");
    }
    project
}

fn dev(project: &Project, arguments: &[&str]) -> Command {
    let mut command = appbundle(project.path(), &["dev", "--color", "never"]);
    command.args(arguments);
    command
}

fn id(app: &str, service: &str) -> String {
    judge("docker", &["ps", "-q", "--filter", &format!("name={app}-[0-9a-f]*-{service}$")])
}

/// What one asks at a port of this machine.
fn answers(port: u16) -> bool {
    let end = Instant::now() + Duration::from_secs(10);
    while Instant::now() < end {
        let asked = Command::new("curl").args(["-sf", &format!("http://127.0.0.1:{port}/")]).output().expect("curl");
        if asked.stdout == b"ok" {
            return true;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    false
}

fn ended(running: Running, signal: &str) -> String {
    running.signal(signal);
    let (code, said) = running.end();
    assert_eq!(code, Some(0), "{said}");
    said
}

/// Folders of runs.
fn runs(project: &Project) -> usize {
    let entries = std::fs::read_dir(project.path().join("target/appbundle/.dev")).expect("folder");
    entries.filter(|entry| entry.as_ref().is_ok_and(|entry| entry.path().is_dir())).count()
}

fn what_is_edited_restarts_and_nothing_else() {
    let [one, two] = free_ports();
    let table = format!(
        "ports = [\"{one}:8000\"]\nhealthcheck = {{ path = \"/\", port = 8000 }}\ndepends-on = [\"back\"]\n\
        dev = {{ environment = {{ DB_URL = \"db://${{db.address}}\" }}, dependencies.db = {{ image = \"{}\", ports = [8000], environment = {{ PORT = \"8000\" }} }} }}\n",
        image("appbundle-dev-db", SERVER)
    );
    let project = project("developed", &[("front", &table), ("back", &format!("ports = [\"{two}:8000\"]\n"))]);
    let mut running = start(&mut dev(&project, &[]));
    let said = running.wait_for("Running 3 containers");
    assert!(position(&said, "Healthy db") < position(&said, "Starting back"), "{said}");
    running.wait_for("back  | version one in dev with `the note of back`");
    running.wait_for("front | version one in dev with `the note of front`");
    running.wait_for("front | db://db:8000: true");
    running.wait_for("Healthy front");
    assert!(answers(one) && answers(two), "{}", running.said());
    let (front, back, db) = (id("developed", "front"), id("developed", "back"), id("developed", "db"));
    assert!(!front.is_empty() && !back.is_empty() && !db.is_empty());

    version(&project, "back", "\"two\"");
    let said = running.wait_for("back  | version two");
    assert!(said.contains("Changed services/back/src/version.rs"), "{said}");
    running.wait_for("Restarted back in");
    assert!(answers(two));
    assert_eq!((id("developed", "front"), id("developed", "db")), (front.clone(), db.clone()), "{said}");
    assert_eq!(said.matches("back  | version one").count(), 1, "{said}");

    // What does not compile changes nothing, and what mends it is noticed.
    version(&project, "front", "1 +");
    running.wait_for("Waiting for changes; the old versions keep running");
    assert!(answers(one));
    assert_eq!((id("developed", "front"), id("developed", "back")), (front.clone(), back.clone()));
    version(&project, "front", "\"three\"");
    running.wait_for("front | version three");
    running.wait_for("Restarted front in");
    // Both at once: the same containers, each with its new program.
    let both = (id("developed", "front"), id("developed", "back"));
    ["back", "front"].iter().for_each(|service| version(&project, service, "\"four\""));
    running.wait_for("back  | version four");
    let said = running.wait_for("front | version four");
    assert!(!said.contains("Ended") && !said.contains("exit code"), "{said}");
    assert!(answers(one) && answers(two));
    assert_eq!((id("developed", "front"), id("developed", "back")), both);
    // A file that makes no other program, and one that only editors see.
    project.write("services/back/src/.version.rs.swp", "x");
    project.write("services/back/note.txt", "another note\n");
    running.wait_for("Fresh no executable changed");
    // A manifest may say how a service is started.
    let manifest = project.text("services/back/Cargo.toml");
    project.write(
        "services/back/Cargo.toml",
        &manifest.replace("[package.metadata.service]", "[package.metadata.service]\nservice = 1"),
    );
    let said = running.wait_for("unknown key `service`");
    assert!(!said.contains(".swp"), "{said}");
    project.write(
        "services/back/Cargo.toml",
        &(manifest + "environment = { ENV = \"own\" }\ndev = { environment = { ENV = \"mine\" } }\n"),
    );
    running.wait_for("back  | version four in mine with `another note`");

    let said = ended(running, "INT");
    assert!(said.contains("Removed 3 containers") && !said.contains("can be written") && !said.contains("killed"), "{said}");
    assert_eq!(left("developed"), "");
}

/// A program is replaced in the container that runs; where that cannot be, its container starts again.
fn programs_start_again_without_their_containers() {
    let [port] = free_ports();
    let project =
        project("replaced", &[("control", &format!("ports = [\"{port}:8000\"]\n")), ("supervisor", "user = \"1234:1234\"\n")]);
    project
        .write("services/supervisor/src/main.rs", &SERVICE.replace("signal(15, end)", "signal(15, std::mem::transmute(1usize))"));
    let program = Path::new(env!("CARGO_BIN_EXE_cargo-appbundle"));
    let stamp = cargo_appbundle::fs::Stamp::read(program).expect("stamp");
    let mut running = start(&mut dev(&project, &[]));
    running.wait_for("Running 2 containers");
    assert!(answers(port));
    let since = |service: &str| judge("docker", &["inspect", "--format", "{{.State.StartedAt}}", id("replaced", service).trim()]);
    let begun = (since("control"), since("supervisor"));
    let paths = judge("docker", &["inspect", "--format", "{{.Config.Entrypoint}}", id("replaced", "control").trim()]);
    assert!(paths.contains("supervise") && paths.contains("-- /usr/local/bin/control"), "{paths}");
    ["control", "supervisor"].iter().for_each(|service| version(&project, service, "\"two\""));
    running.wait_for("control    | version two");
    running.wait_for("supervisor | version two");
    let said = running.wait_for("Restarted");
    assert!(said.contains("`supervisor` did not exit on SIGTERM; killed") && !said.contains("`control` did not"), "{said}");
    assert!(answers(port));
    assert_eq!((since("control"), since("supervisor")), begun);

    // What has ended altogether starts in its container again.
    judge("docker", &["kill", id("replaced", "control").trim()]);
    running.wait_for("the service `control` ended with exit code 137");
    version(&project, "control", "\"three\"");
    running.wait_for("control    | version three");
    running.wait_for("Restarted control in");
    assert!(answers(port));
    assert_ne!(since("control"), begun.0);
    version(&project, "control", "\"four\"");
    running.wait_for("control    | version four");
    let said = ended(running, "INT");
    assert!(said.contains("Removed 2 containers"), "{said}");
    assert_eq!(left("replaced"), "");
    assert_eq!(runs(&project), 0, "nothing of the run stays");
    // What is fresh depends on this program's stamp too.
    assert_eq!(cargo_appbundle::fs::Stamp::read(program).expect("stamp"), stamp);
}

fn services_have_ports_of_their_own_and_a_fault_stops_only_its_service() {
    let ports = "ports = [\"8000\"]\n";
    let project = project("alike", &[("one", ports), ("two", ports), ("three", ports)]);
    project.write(
        "services/three/src/main.rs",
        "mod version;\nfn main() { println!(\"{}\", version::VERSION); std::process::exit(3) }\n",
    );
    let mut running = start(&mut dev(&project, &["-p", "two", "-p", "three"]));
    running.wait_for("Running 2 containers");
    running.wait_for("the service `three` ended with exit code 3");
    let said = running.said();
    assert!(said.contains("Serving two at http://127.0.0.1:8001") && answers(8001), "{said}");
    version(&project, "three", "\"again\"");
    running.wait_for("three | again");
    let said = ended(running, "TERM");
    assert!(!said.contains("Starting one") && !said.contains("Cargo.lock"), "{said}");
    assert_eq!(left("alike"), "");
    let error = fails(&mut dev(&project, &["-p", "tow"]), 1);
    assert!(error.contains("no service or package named `tow`; did you mean `two`?"), "{error}");
}

/// Also the same port after a manifest has named it, and another one.
fn a_port_in_use_gives_way_to_a_free_one() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("address").port();
    let [other] = free_ports();
    let table = |port: u16| format!("ports = [\"{port}:8000\"]\n");
    let project = project("displaced", &[("one", &table(port))]);
    let mut running = start(&mut dev(&project, &[]));
    let said = running.wait_for("Serving one at http://127.0.0.1:");
    assert!(said.contains(&format!("warning: port {port} of `one` is already in use by `")), "{said}");
    let at: u16 =
        said.split("Serving one at http://127.0.0.1:").nth(1).and_then(|rest| rest.lines().next()?.parse().ok()).expect("it");
    assert!(at > port && said.contains(&format!("; using {at}\n")) && answers(at), "{said}");
    let published = judge("docker", &["port", id("displaced", "one").trim()]);
    assert_eq!(published.trim(), format!("8000/tcp -> 127.0.0.1:{at}"));
    project.edit("services/one/Cargo.toml", |text| text.replace(&port.to_string(), &other.to_string()));
    running.wait_for(&format!("Serving one at http://127.0.0.1:{other}\n"));
    assert!(answers(other));
    let said = ended(running, "INT");
    assert_eq!(said.matches("already in use").count(), 1, "{said}");
    assert_eq!(left("displaced"), "");
}

/// Also one on which nothing depends, for which nothing waits.
fn a_service_that_does_not_become_healthy_is_told() {
    let project = project("unwell", &[("one", "ports = [\"8000\"]\nhealthcheck = { path = \"/healthz\", port = 8001 }\n")]);
    let mut running = start(&mut dev(&project, &["--timeout", "2"]));
    running.wait_for("Running 1 container");
    let said = running.wait_for("warning: the service `one` is not healthy after 2 s: GET :8001/healthz: ");
    assert!(!said.contains("Healthy one"), "{said}");
    ended(running, "INT");
    assert_eq!(left("unwell"), "");
}

/// The lines for plain compose in docs/guide/developing.md, and what is said of an edit, with both generations of compose.
fn variables_of_a_file_are_followed() {
    let table = "compose = { environment = { DB_URL = \"${MODE:-none}\", DB_ADDRESS = \"127.0.0.1:1\" } }\n";
    let project = project("followed", &[("one", table)]);
    project.write(".env", "MODE=first\n");
    let mut running = start(dev(&project, &[]).env_remove("MODE"));
    running.wait_for("one | first: false");
    project.write(".env", "MODE=second # now\n");
    running.wait_for("one | second: false");
    running.wait_for("Restarted one in");
    ended(running, "INT");
    assert_eq!(left("followed"), "");
}

/// Also one whose container is removed; with `restart = "no"`, it stays down.
fn a_service_that_crashes_is_started_again() {
    let project = project("crashing", &[("one", ""), ("two", "restart = \"no\"\n"), ("three", "ports = [\"8000\"]\n")]);
    let crash = "fn main() { println!(\"crashing\"); std::process::exit(3) }\n";
    ["one", "two"].iter().for_each(|name| project.write(&format!("services/{name}/src/main.rs"), crash));
    let mut running = start(&mut dev(&project, &[]));
    running.wait_for("Serving three at http://127.0.0.1:");
    running.wait_for("Restarting one in 1 s");
    let first = id("crashing", "three");
    ok(Command::new("docker").args(["rm", "-f", first.trim()]));
    running.wait_for("warning: the container of the service `three` was removed");
    running.wait_for("Restarting three in 1 s");
    running.wait_for("Restarting one in 4 s");
    let said = running.said();
    assert_eq!(said.matches("three | version one").count(), 2, "{said}");
    assert!(!["", first.as_str()].contains(&id("crashing", "three").as_str()), "{said}");
    assert!(said.matches("one   | crashing").count() >= 3, "{said}");
    assert!(said.matches("warning: the service `one` ended with exit code 3").count() >= 3, "{said}");
    // An edit starts it at once.
    project.write("services/one/src/main.rs", SERVICE);
    running.wait_for("one   | version one");
    let said = ended(running, "INT");
    assert!(!said.contains("Restarting two"), "{said}");
    assert_eq!(said.matches("warning: the service `two` ended with exit code 3").count(), 1, "{said}");
    assert_eq!(left("crashing"), "");
}

/// It is told once why; no edit is needed.
fn what_cannot_be_started_is_tried_again() {
    let project = project("late", &[("one", "compose = { network_mode = \"container:appbundle-dev-late\" }\n")]);
    let name = image("appbundle-dev-late", SERVER);
    let mut running = start(&mut dev(&project, &[]));
    let said = running.wait_for("Waiting 2 s, then trying again until it starts");
    assert!(said.contains("appbundle-dev-late"), "{said}");
    let end = Instant::now() + Duration::from_secs(30);
    while running.said().matches("Starting one").count() < 3 {
        assert!(Instant::now() < end, "{}", running.said());
        std::thread::sleep(Duration::from_millis(100));
    }
    ok(Command::new("docker").args(["run", "-d", "-e", "PORT=8001", "--name", "appbundle-dev-late", &name]));
    running.wait_for("one | version one");
    running.wait_for("Running 1 container");
    let said = ended(running, "INT");
    ok(Command::new("docker").args(["rm", "-f", "appbundle-dev-late"]));
    ok(Command::new("docker").args(["rmi", &name]));
    assert_eq!(said.matches("error: ").count(), 1, "{said}");
    assert!(!said.contains("Ended one") && !said.contains("exit code"), "{said}");
    assert_eq!(left("late"), "");
}

fn plain_compose_runs_what_a_bare_cargo_build_makes() {
    const COMPOSE: [&str; 2] = ["docker-compose", "docker-compose-v2"];
    let page = std::fs::read_to_string(support::repository().join("docs/guide/developing.md")).expect("the page");
    let lines = page.split("## Plain compose").nth(1).and_then(|rest| rest.split("```").nth(1)).expect("lines");
    let lines = lines.trim_start_matches("sh\n").replace("photo-gallery", "plain");
    let db = image("appbundle-dev-db", SERVER);
    let table = format!(
        "ports = [8000]\ndev = {{ environment = {{ DB_URL = \"db://${{db.address}}\" }}, dependencies.db = {{ image = \"{db}\", ports = [8000], environment = {{ PORT = \"8000\" }}, healthcheck = {{ command = [\"/program\", \"--ask\"] }} }} }}\n"
    );
    let project = project("plain", &[("one", &table)]);
    let steps: Vec<&str> = lines.lines().map(|line| line.split(" #").next().unwrap_or(line).trim()).collect();
    assert_eq!(steps.len(), 5, "{steps:?}");
    let cargo = |project: &Project, line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["cargo", "appbundle", ref words @ ..] => ok(&mut appbundle(project.path(), words)),
            ref words => ok(Command::new(words[0]).args(&words[1..]).current_dir(project.path())),
        }
    };
    for compose in COMPOSE {
        version(&project, "one", "\"one\"");
        steps[..4].iter().for_each(|line| drop(cargo(&project, line)));
        let up = |words: &[&str]| {
            let mut command = Command::new(compose);
            let file = steps[4].split_whitespace().nth(3).expect("the file");
            command.args(["-f", file]).args(words).current_dir(project.path());
            command
        };
        let mut follow = start(&mut up(&["up", "--no-color"]));
        let said = follow.wait_for("version one in dev with `the note of one`");
        follow.wait_for("db://db:8000: true");
        assert!(answers(8000), "{said}");
        version(&project, "one", "\"two\"");
        cargo(&project, steps[3]);
        ok(&mut up(&["restart", "one"]));
        assert!(answers(8000));
        let logs = support::text(&support::run(&mut up(&["logs", "one"])).stdout);
        assert!(logs.contains("version two in dev"), "{logs}");
        ok(&mut up(&["down", "--volumes"]));
        follow.end();
    }
    judge("docker", &["rmi", "--force", "com.example.plain.one:1.2.3"]);
}

fn a_first_build_that_fails_is_waited_for() {
    let project = project("hopeful", &[("one", "")]);
    version(&project, "one", "1 +");
    let mut running = start(&mut dev(&project, &[]));
    let said = running.wait_for("Waiting for changes; nothing runs yet");
    assert!(said.contains("failed to compile"), "{said}");
    version(&project, "one", "\"at last\"");
    running.wait_for("one | version at last");
    // What was made elsewhere is followed as well.
    ended(running, "INT");
    std::fs::create_dir(project.path().join("bin")).expect("folder");
    std::fs::copy(project.path().join("target/debug/one"), project.path().join("bin/one")).expect("copied");
    let mut running = start(&mut dev(&project, &["--no-compile", "--bin-dir", "bin"]));
    running.wait_for("one | version at last");
    project.compile("cc", "one", SERVER, &["-O1"]);
    running.wait_for("the service `one` ended with exit code 1");
    ended(running, "INT");
    assert_eq!(left("hopeful"), "");
}

/// Also one who stops this program alone, as service managers do, does not wait for the compiler.
fn who_stops_it_does_not_wait_for_the_compiler() {
    let project = project("impatient", &[("one", "")]);
    let mut running = start(&mut dev(&project, &[]));
    running.wait_for("one | version one");
    let script = "fn main() { std::fs::write(\"../../pid\", std::process::id().to_string()).expect(\"pid\");\n\
        std::thread::sleep(std::time::Duration::from_secs(300)); }\n";
    for first in [false, true] {
        project.write("services/one/build.rs", script);
        let pid = loop {
            if let Ok(pid) = std::fs::read_to_string(project.path().join("pid")) {
                break pid;
            }
            assert!(running.child.try_wait().expect("child").is_none(), "{}", running.said());
            std::thread::sleep(Duration::from_millis(50));
        };
        let asked = Instant::now();
        let said = ended(running, if first { "INT" } else { "TERM" });
        assert!(asked.elapsed() < Duration::from_secs(8), "{:?}: {said}", asked.elapsed());
        assert!(!said.contains("error") && !said.contains("Waiting"), "{said}");
        assert_eq!(left("impatient"), "");
        let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(state.is_empty() || state.contains(") Z"), "the build script runs: {state}");
        std::fs::remove_file(project.path().join("pid")).expect("removed");
        if first {
            break;
        }
        // The same while it builds for the first time.
        running = start(&mut dev(&project, &[]));
    }
}

fn a_killed_run_and_an_engine_that_goes_away_leave_what_the_next_run_removes() {
    let project = project("orphaned", &[("one", "")]);
    let mut running = start(&mut dev(&project, &[]));
    running.wait_for("one | version one");
    running.signal("KILL");
    running.end();
    assert_ne!(left("orphaned"), "");
    let proxy = Proxy::start();
    let mut running = start(dev(&project, &[]).env("DOCKER_HOST", proxy.url()));
    let said = running.wait_for("one | version one");
    assert!(said.contains("Removed leftovers of a killed run: orphaned-"), "{said}");
    proxy.cut();
    let (code, said) = running.end();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("stopped answering while") || said.contains("the socket does not exist"), "{said}");
    assert_ne!(left("orphaned"), "");
    let mut running = start(&mut dev(&project, &[]));
    running.wait_for("Running 1 container");
    ended(running, "INT");
    assert_eq!((left("orphaned").as_str(), runs(&project)), ("", 0));
    ok(&mut appbundle(project.path(), &["clean"]));
}

fn ctrl_c_does_not_wait_for_a_base_that_is_pulled() {
    let registry = Server::stalling();
    let project = project("baseless", &[("front", "")]);
    project.with_base(&format!("{{ image = \"{}/slow/base:1\" }}", registry.host));
    let mut command = dev(&project, &[]);
    project.alone(&mut command);
    let running = start(&mut command);
    registry.wait_for("/manifests/1");
    let since = Instant::now();
    ended(running, "INT");
    assert!(since.elapsed() < Server::STALL / 2, "{:?}", since.elapsed());
    assert_eq!(left("baseless"), "");
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(what_is_edited_restarts_and_nothing_else, [docker, curl]),
        test!(programs_start_again_without_their_containers, [docker, curl]),
        test!(services_have_ports_of_their_own_and_a_fault_stops_only_its_service, [docker, curl]),
        test!(a_port_in_use_gives_way_to_a_free_one, [docker, curl]),
        test!(a_service_that_does_not_become_healthy_is_told, [docker]),
        test!(variables_of_a_file_are_followed, [docker]),
        test!(a_service_that_crashes_is_started_again, [docker]),
        test!(what_cannot_be_started_is_tried_again, [docker]),
        test!(plain_compose_runs_what_a_bare_cargo_build_makes, [docker, compose, curl]),
        test!(a_first_build_that_fails_is_waited_for, [docker]),
        test!(who_stops_it_does_not_wait_for_the_compiler, [docker]),
        test!(a_killed_run_and_an_engine_that_goes_away_leave_what_the_next_run_removes, [docker]),
        test!(ctrl_c_does_not_wait_for_a_base_that_is_pulled, [docker]),
    ])
}
