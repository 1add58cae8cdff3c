//! What confines a container, seen from inside and by the engine: `init`, `cap-add`, `cap-drop`, `read-only` and `tmpfs`.

mod support;

use std::process::{Command, ExitCode};

use serde_json::{Value, json};
use support::harness::{self, test};
use support::needs::{compose, docker};
use support::running::{image, left, start};
use support::{Project, appbundle, judge, ok, run, text};

const X86: &str = "x86_64-unknown-linux-gnu";
const PROGRAM: &str = include_str!("programs/confined.c");

/// What confines a container, and more that it has.
const CONFINED: &str = r#"
init = true
cap-add = ["NET_ADMIN"]
cap-drop = ["NET_RAW"]
read-only = true
tmpfs = ["/scratch"]
user = "0"
volumes = ["kept:/kept"]
environment = { PORT = "8000" }
secrets = { TOKEN = { secret = "tokens", key = "api" } }
resources = { memory = "32Mi", memory-limit = "64Mi", cpu-limit = "0.5" }
labels = { "org.example.team" = "cameras" }
stop-grace-period = "5s"
"#;

/// The same without what confines.
const FREE: &str = "init = false\nuser = \"0\"\nenvironment = { PORT = \"8000\" }\n";

/// An app of a service that is confined and another one that is not.
fn app(name: &str, confined: &str) -> Project {
    let project = Project::named(name, &[]);
    project.edit("Cargo.toml", |text| format!("{text}targets = [\"{X86}\"]\n"));
    for (service, table) in [("held", confined), ("free", FREE)] {
        project.service(&format!("{name}-{service}"), table);
        project.compile("cc", &format!("{name}-{service}"), PROGRAM, &["-O1"]);
    }
    project
}

/// Whether a set of capabilities has `CAP_NET_ADMIN` and `CAP_NET_RAW`.
fn capabilities(said: &str, name: &str) -> (bool, bool) {
    let set = u64::from_str_radix(&fact(said, name, "capabilities"), 16).expect("a number");
    (set >> 12 & 1 == 1, set >> 13 & 1 == 1)
}

/// What a container has said of this, in a line such as `name  | of: what`.
fn fact(said: &str, name: &str, of: &str) -> String {
    // Compose writes the number of the container behind the name.
    let is_it = |who: &str| who.trim().strip_prefix(name).is_some_and(|rest| ["", "-1", "_1"].contains(&rest));
    let mut facts = said.lines().filter_map(|line| line.split_once("| ")).filter(|(who, _)| is_it(who));
    let fact = facts.find_map(|(_, fact)| fact.strip_prefix(of)?.strip_prefix(": "));
    fact.unwrap_or_else(|| panic!("no `{of}` of `{name}` in:\n{said}")).to_owned()
}

fn is_confined(said: &str, name: &str) {
    assert_eq!(fact(said, name, "first process"), "docker-init");
    assert_eq!(fact(said, name, "orphan"), "is gone");
    assert_eq!(capabilities(said, name), (true, false), "{said}");
    assert_eq!(fact(said, name, "writes /written"), "Read-only file system");
    assert_eq!(fact(said, name, "writes /scratch/written"), "yes");
    assert_eq!(fact(said, name, "writes /kept/written"), "yes");
    assert!(fact(said, name, "memory").starts_with("tmpfs rw"), "{said}");
    assert_eq!(fact(said, name, "secret"), "the token");
}

fn is_free(said: &str, name: &str) {
    assert_eq!(fact(said, name, "orphan"), "stays");
    assert_eq!(capabilities(said, name), (false, true), "{said}");
    assert_eq!(fact(said, name, "writes /written"), "yes");
    assert_eq!(fact(said, name, "writes /scratch/written"), "No such file or directory");
    assert_eq!(fact(said, name, "secret"), "none");
}

/// What the engine says of a running container whose name ends so.
fn inspected(name: &str) -> Value {
    // `run`, `dev` and `test` put the run's name before that; compose puts the project's, and its number behind it.
    let id = judge("docker", &["ps", "-q", "--filter", &format!("name={name}([-_]1)?$")]);
    let read: Value = serde_json::from_str(&judge("docker", &["inspect", id.trim()])).expect("JSON");
    read[0].clone()
}

fn engine_confines(name: &str) {
    let container = inspected(name);
    let host = &container["HostConfig"];
    let names = |key: &str| host[key].to_string().replace("CAP_", "");
    assert_eq!((&host["Init"], &host["ReadonlyRootfs"]), (&json!(true), &json!(true)));
    assert_eq!((names("CapAdd"), names("CapDrop")), ("[\"NET_ADMIN\"]".to_owned(), "[\"NET_RAW\"]".to_owned()));
    assert_eq!(host["Tmpfs"], json!({ "/scratch": "" }));
    assert_eq!((&host["Memory"], &host["MemoryReservation"]), (&json!(64 << 20), &json!(32 << 20)));
    assert_eq!(host["NanoCpus"], 500_000_000);
    assert_eq!(container["Config"]["Labels"]["org.example.team"], "cameras");
    let mounts = container["Mounts"].as_array().expect("mounts");
    assert!(mounts.iter().any(|mount| mount["Type"] == "volume" && mount["Destination"] == "/kept"), "{mounts:?}");
}

/// Removes an app's volumes and images.
fn forget(app: &str) {
    for (kind, format, filter) in [
        ("volume", "{{.Name}}", format!("name={app}")),
        ("image", "{{.Repository}}:{{.Tag}}", format!("reference=com.example.{app}.*")),
    ] {
        for name in judge("docker", &[kind, "ls", "--format", format, "--filter", &filter]).lines() {
            run(Command::new("docker").args([kind, "rm", "-f", name]));
        }
    }
}

const CHECKED: &str = "healthcheck = { command = [\"/usr/local/bin/confining-held\", \"--check\"], interval = \"1s\" }\n";

fn services_are_confined_from_tables_and_from_a_bundle() {
    let project = app("confining", &(CONFINED.to_owned() + CHECKED));
    let bundle = ok(project.pack(&["--format", "auterionos"]).args(["--target", X86]));
    let of_tables = ["run", "--no-compile", "--bin-dir", "bin"];
    for arguments in [&of_tables[..], &["run", bundle.trim()]] {
        let mut command = appbundle(project.path(), arguments);
        let mut running = start(command.args(["--color", "never"]).env("TOKEN", "the token"));
        let said = running.wait_for("Running 2 services");
        assert!(said.contains("Healthy confining-held"), "{said}");
        engine_confines("confining-held");
        assert_eq!(inspected("confining-free")["HostConfig"]["ReadonlyRootfs"], false);
        running.wait_for("confining-held | secret:");
        let said = running.wait_for("confining-free | secret:");
        is_confined(&said, "confining-held");
        is_free(&said, "confining-free");
        assert_eq!(fact(&said, "confining-free", "first process"), "confining-free");
        running.signal("INT");
        let (code, said) = running.end();
        assert_eq!((code, left("confining")), (Some(0), String::new()), "{said}");
    }
    forget("confining");
}

/// A table of a service with a confined dependency.
fn needing(image: &str) -> String {
    let keys = CONFINED.trim().replace("PORT = \"8000\"", "PORT = \"8000\", OTHER = \"x\"");
    format!(
        "[package.metadata.service.test.dependencies.db]\nimage = \"{image}\"\nports = [8000]\n{keys}\n\
        healthcheck = {{ command = [\"/program\", \"--check\"], interval = \"1s\" }}\n"
    )
}

/// What is started again without its container has a supervisor before it, and is confined all the same.
fn dev_confines_services_and_what_they_need() {
    let dependency = image("appbundle-test-confining-dev", PROGRAM);
    let project = app("developing", &(CONFINED.to_owned() + &needing(&dependency)));
    let mut command = appbundle(project.path(), &["dev", "--no-compile", "--bin-dir", "bin", "--color", "never"]);
    let mut running = start(command.env("TOKEN", "the token"));
    running.wait_for("Running 3 containers");
    engine_confines("developing-held");
    engine_confines("developing-.*-db");
    for name in ["developing-held", "developing-free", "db             "] {
        running.wait_for(&format!("{name} | secret:"));
    }
    running.signal("INT");
    let (code, said) = running.end();
    assert_eq!((code, left("developing")), (Some(0), String::new()), "{said}");
    is_confined(&said, "developing-held");
    is_confined(&said, "db");
    assert_eq!(capabilities(&said, "developing-free"), (false, true), "{said}");
    assert_eq!(fact(&said, "developing-free", "writes /written"), "yes");
    forget("developing");
    run(Command::new("docker").args(["rmi", "-f", &dependency]));
}

/// The test runs while the dependency does, and sees what the engine says of it.
const TEST: &str = r#"
#[test]
fn looks() {
    let address = std::env::var("DB_ADDRESS").expect("address");
    std::net::TcpStream::connect(address).expect("the dependency");
    std::fs::write(std::env::var("LOOKING").expect("path"), "").expect("written");
    while std::path::Path::new(&std::env::var("LOOKING").expect("path")).exists() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("so that the output of the dependency is shown");
}
"#;

fn what_tests_need_is_confined() {
    let dependency = image("appbundle-test-confining-db", PROGRAM);
    let project = Project::named("testing", &[]);
    project.service("store", &needing(&dependency));
    project.write("services/store/tests/it.rs", TEST);
    let looking = project.path().join("looking");
    let mut command = appbundle(project.path(), &["test", "store", "--color", "never", "--", "--test", "it"]);
    let running = start(command.env("TOKEN", "the token").env("LOOKING", &looking));
    let end = std::time::Instant::now() + std::time::Duration::from_secs(90);
    while !looking.exists() && std::time::Instant::now() < end {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    engine_confines("testing-.*-db");
    std::fs::remove_file(&looking).expect("removed");
    let (code, said) = running.end();
    assert_eq!((code, left("testing")), (Some(101), String::new()), "{said}");
    is_confined(&said, "db");
    forget("testing");
    run(Command::new("docker").args(["rmi", "-f", &dependency]));
}

fn both_generations_of_compose_confine_services() {
    let project = app("composing", &(CONFINED.to_owned() + &CHECKED.replace("confining", "composing")));
    let bundle = ok(project.pack(&["--format", "docker"]).args(["--target", X86]));
    ok(&mut appbundle(project.path(), &["load", bundle.trim()]));
    ok(&mut appbundle(project.path(), &["generate", "--for", "compose"]));
    let file = project.path().join("target/appbundle/compose/composing/docker-compose.yml");
    for program in ["docker-compose", "docker-compose-v2"] {
        let compose = |words: &[&str]| {
            let mut command = Command::new(program);
            command.arg("-f").arg(&file).args(["-p", "composing"]).args(words).env("TOKEN", "the token");
            run(&mut command)
        };
        let up = compose(&["up", "-d"]);
        let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
        let healthy = || inspected("composing-held")["State"]["Health"]["Status"] == "healthy";
        let mut said = String::new();
        while std::time::Instant::now() < end && !(said.matches("secret:").count() == 2 && healthy()) {
            std::thread::sleep(std::time::Duration::from_millis(200));
            // The newer one clears each line before it writes it.
            said = text(&compose(&["logs", "--no-color"]).stdout).replace("\x1b[2K", "");
        }
        let seen = std::panic::catch_unwind(|| {
            assert!(up.status.success(), "{program}: {}", text(&up.stderr));
            assert!(healthy(), "{program}: {}", inspected("composing-held")["State"]);
            engine_confines("composing-held");
            is_confined(&said, "composing-held");
            is_free(&said, "composing-free");
        });
        let down = compose(&["down", "-v", "-t", "1"]);
        assert!(down.status.success(), "{program}: {}", text(&down.stderr));
        if let Err(panic) = seen {
            forget("composing");
            std::panic::resume_unwind(panic);
        }
    }
    forget("composing");
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(services_are_confined_from_tables_and_from_a_bundle, [docker]),
        test!(dev_confines_services_and_what_they_need, [docker]),
        test!(what_tests_need_is_confined, [docker]),
        test!(both_generations_of_compose_confine_services, [docker, compose]),
    ])
}
