//! Health checks by path and by port, where an engine runs them in the container: with the program that images contain for it.

mod support;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use support::harness::{self, test};
use support::needs::{arm64_rust, compose, docker, docker_arm64, grpc_python, kubectl, kubernetes_validate};
use support::running::{Running, start};
use support::swarm::{Swarm, verb};
use support::{Project, appbundle, fails, free_ports, judge, ok, repository, run, text};

const X86: &str = "x86_64-unknown-linux-gnu";
const ARM: &str = "aarch64-unknown-linux-gnu";
const SERVER: &str = include_str!("programs/health.c");

/// The program's place in an image.
const PROBE: &str = "usr/local/lib/appbundle/probe";

/// An app with two servers: a static one on nothing, and one on what it needs, which starts when the first is healthy.
fn app(name: &str, target: &str) -> Project {
    let project = Project::named(name, &[]);
    project.edit("Cargo.toml", |text| format!("{text}targets = [\"{target}\"]\n"));
    let table = |more: &str| format!("environment = {{ PORT = 8080 }}\nports = [\"8080\"]\n{more}");
    project.service(
        "bare",
        &table("base = \"scratch\"\nhealthcheck = { path = \"/healthz\", port = 8080, interval = \"1s\", retries = 2 }\n"),
    );
    project.service("usual", &table("depends-on = [\"bare\"]\nhealthcheck = { port = 8080, interval = \"1s\", retries = 2 }\n"));
    let compiler = if target == ARM { "aarch64-linux-gnu-gcc" } else { "cc" };
    project.compile(compiler, "bare", SERVER, &["-O1", "-static"]);
    project.compile(compiler, "usual", SERVER, &["-O1"]);
    project
}

fn pack(project: &Project, target: &str, more: &[&str]) -> Command {
    let mut command = project.pack(&["--format", "docker", "--target", target]);
    command.args(more);
    command
}

/// Waits until a container's health is this.
fn becomes(container: &str, health: &str) {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let seen = judge("docker", &["inspect", "--format", "{{json .State.Health}}", container]);
        if seen.contains(&format!("\"Status\":\"{health}\"")) {
            return;
        }
        assert!(Instant::now() < end, "not {health}: {seen}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Removes what a test made, whatever becomes of it.
struct Gone<'a>(&'a str, &'a dyn Fn());

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        (self.1)();
        for service in ["bare", "usual"] {
            run(Command::new("docker").args(["rmi", "--force", &format!("com.example.{}.{service}:1.2.3", self.0)]));
        }
    }
}

fn compose_runs_them(name: &str, target: &str) {
    let project = app(name, target);
    let bundle = ok(&mut pack(&project, target, &[]));
    ok(&mut appbundle(project.path(), &["generate", "--for", "compose"]));
    let file = project.path().join(format!("target/appbundle/compose/{name}/docker-compose.yml"));
    for program in ["docker-compose", "docker-compose-v2"] {
        let compose = |words: &[&str]| run(Command::new(program).arg("-f").arg(&file).args(words));
        let down = || drop(compose(&["down", "-t", "1"]));
        let _gone = Gone(name, &down);
        ok(&mut appbundle(project.path(), &["load", bundle.trim()]));
        let up = compose(&["up", "-d"]);
        assert!(up.status.success(), "{program}: {}", text(&up.stderr));
        let container = |service: &str| text(&compose(&["ps", "-q", service]).stdout).trim().to_owned();
        let (bare, usual) = (container("bare"), container("usual"));
        // `usual` would not have started otherwise.
        assert_eq!(judge("docker", &["inspect", "--format", "{{.State.Health.Status}}", &bare]).trim(), "healthy", "{program}");
        becomes(&usual, "healthy");
        judge("docker", &["kill", "--signal", "USR1", &bare, &usual]);
        becomes(&bare, "unhealthy");
        // A port accepts connections, whatever is answered.
        becomes(&usual, "healthy");
        let said = judge("docker", &["inspect", "--format", "{{range .State.Health.Log}}{{.Output}}{{end}}", &bare]);
        assert!(said.contains("HTTP/1.1 500"), "{said}");
    }
}

fn compose_asks_by_path_and_by_port() {
    compose_runs_them("health-amd", X86);
}

fn compose_asks_in_images_for_arm64() {
    compose_runs_them("health-arm", ARM);
}

/// A task runs once it is healthy, and is replaced when it is not any more.
fn a_task_of_a_swarm_is_asked_for_its_health() {
    let _swarm = Swarm::new();
    let project = app("health-swarm", X86);
    let remove = || drop(run(Command::new("docker").args(["stack", "rm", "health-swarm"])));
    let _gone = Gone("health-swarm", &remove);
    ok(&mut verb(&project, "deploy"));
    // The swarm starts a replica's container by itself, so that for moments there is none.
    let other_than = |last: &str| {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let label = "label=com.docker.swarm.service.name=health-swarm_bare";
            let id = judge("docker", &["ps", "-q", "--filter", label]).trim().to_owned();
            if !id.is_empty() && id != last {
                return id;
            }
            assert!(Instant::now() < end, "{}", judge("docker", &["service", "ps", "--no-trunc", "health-swarm_bare"]));
            std::thread::sleep(Duration::from_millis(500));
        }
    };
    let first = other_than("");
    becomes(&first, "healthy");
    judge("docker", &["kill", "--signal", "USR1", &first]);
    becomes(&other_than(&first), "healthy");
    ok(&mut verb(&project, "remove"));
}

/// gRPC's own health service, and the port at which it listens.
struct Grpc {
    running: Running,
    port: u16,
}

impl Grpc {
    fn start() -> Self {
        let program = repository().join("tests/programs/health_server.py");
        let mut running = start(Command::new("grpc-python").arg(program).stdin(Stdio::piped()));
        let said = running.wait_for("at the port");
        let port = said.lines().find_map(|line| line.strip_prefix("at the port ")?.parse().ok()).expect("port");
        Self { running, port }
    }

    fn answers(&mut self, status: &str) {
        writeln!(self.running.child.stdin.as_mut().expect("stdin"), "{status}").expect("told");
    }
}

/// An app of one service on the host's network, whose health a server of this test answers.
fn with_grpc(name: &str, port: u16) -> Project {
    let project = app(name, X86);
    let [own] = free_ports();
    let table = format!(
        "base = \"scratch\"\nnetwork-mode = \"host\"\nenvironment = {{ PORT = {own} }}\n\
         healthcheck = {{ grpc = {port}, interval = \"1s\", retries = 2 }}\n"
    );
    project.service("bare", &table);
    std::fs::remove_dir_all(project.path().join("services/usual")).expect("removed");
    project
}

/// The server is a real one on the network that the container shares.
fn a_grpc_server_is_asked_in_the_container_and_from_outside() {
    let mut server = Grpc::start();
    let project = with_grpc("health-grpc", server.port);
    let _gone = Gone("health-grpc", &|| drop(run(Command::new("docker").args(["rm", "--force", "health-grpc-it"]))));
    server.answers("NOT_SERVING");
    let run_it = |words: &[&str]| {
        let mut command = appbundle(project.path(), &["run", "--no-compile", "--bin-dir", "bin", "--target", X86]);
        command.args(words);
        command
    };
    let said = fails(&mut run_it(&["--detach", "--timeout", "2"]), 1);
    let words = format!("`bare` is not healthy after 2 s: gRPC at port {}: answered NOT_SERVING", server.port);
    assert!(said.contains(&words), "{said}");
    let bundle = ok(&mut pack(&project, X86, &[]));
    ok(&mut appbundle(project.path(), &["load", bundle.trim()]));
    let image = "com.example.health-grpc.bare:1.2.3";
    judge("docker", &["run", "--detach", "--name", "health-grpc-it", "--network", "host", image]);
    becomes("health-grpc-it", "unhealthy");
    let log = judge("docker", &["inspect", "--format", "{{range .State.Health.Log}}{{.Output}}{{end}}", "health-grpc-it"]);
    assert!(log.contains("answered NOT_SERVING"), "{log}");
    server.answers("SERVING");
    becomes("health-grpc-it", "healthy");
    judge("docker", &["rm", "--force", "health-grpc-it"]);
    ok(&mut run_it(&["--detach"]));
    ok(&mut appbundle(project.path(), &["stop"]));
}

/// The schemas are those that Kubernetes publishes.
fn kubernetes_asks_ports_and_grpc_by_itself() {
    let project = with_grpc("health-kubernetes", 9000);
    project.service("usual", "ports = [\"9000\"]\nhealthcheck = { grpc = 9000, start-period = \"5s\" }\n");
    project.service("by-port", "ports = [\"5432\"]\nhealthcheck = { port = 5432 }\n");
    ok(&mut appbundle(project.path(), &["generate", "--for", "kubernetes"]));
    let of = |service: &str| project.path().join(format!("target/appbundle/kubernetes/service-{service}.yaml"));
    let live = |service: &str| {
        let path = of(service);
        let path = path.to_str().expect("path");
        judge("kubernetes-validate", &["--strict", "-k", "1.37", path]);
        let objects = judge("kubectl", &["annotate", "--local", "-o", "json", "-f", path, "seen=true"]);
        let objects = serde_json::Deserializer::from_str(&objects).into_iter::<serde_json::Value>();
        let deployment = objects.map(|one| one.expect("JSON")).find(|object| object["kind"] == "Deployment").expect("deployment");
        deployment["spec"]["template"]["spec"]["containers"][0]["livenessProbe"].clone()
    };
    assert_eq!(live("usual"), serde_json::json!({ "grpc": { "port": 9000 }, "initialDelaySeconds": 5 }));
    assert_eq!(live("by-port"), serde_json::json!({ "tcpSocket": { "port": 5432 } }));
    // Kubernetes would ask at the node's address.
    assert_eq!(live("bare")["exec"]["command"], serde_json::json!([format!("/{PROBE}"), "9000", "grpc"]));
}

/// Exactly one question, and one that has an answer.
fn a_check_asks_one_thing() {
    let project = app("health-wrong", X86);
    for (check, words) in [
        ("{ grpc = 9000, port = 9000 }", "needs one of `port`, `port` and `path`, `grpc`, and `command`"),
        ("{ grpc = 9000, command = [\"/x\"] }", "needs one of"),
        ("{ grpc = 0 }", "no server listens at the port `0`"),
        ("{ port = 0 }", "no server listens at the port `0`"),
        ("{ grpc = 65536 }", "65536"),
        ("{ grcp = 9000 }", "did you mean `grpc`?"),
    ] {
        project.service("bare", &format!("healthcheck = {check}\n"));
        let said = fails(&mut appbundle(project.path(), &["plan"]), 1);
        assert!(said.contains(words) && said.contains("services/bare/Cargo.toml:7:"), "{check}: {said}");
    }
}

/// The same app without any file but its programs.
fn on_nothing(name: &str) -> Project {
    let project = app(name, X86);
    project.edit("services/usual/Cargo.toml", |text| text + "base = \"scratch\"\n");
    project.compile("cc", "usual", SERVER, &["-O1", "-static"]);
    project
}

/// What is in a bundle: its layers and files.
fn inspected(project: &Project, bundle: &str) -> serde_json::Value {
    serde_json::from_str(&ok(&mut appbundle(project.path(), &["inspect", bundle, "--json"]))).expect("JSON")
}

fn it_is_small_stored_once_and_the_same_in_each_folder() {
    let (one, other) = (on_nothing("health-same"), on_nothing("health-same"));
    let bundles = [&one, &other].map(|project| ok(&mut pack(project, X86, &[])).trim().to_owned());
    let bytes = bundles.each_ref().map(|path| std::fs::read(path).expect("bundle"));
    assert!(bytes[0] == bytes[1], "two builds differ");
    let seen = inspected(&one, &bundles[0]);
    let files = seen["largest"].as_array().expect("files").iter();
    let layers: Vec<&serde_json::Value> = files.filter(|file| file["path"] == PROBE).map(|file| &file["layer"]).collect();
    assert_eq!(layers.len(), 1, "{seen:#}");
    let layer =
        seen["layers"].as_array().expect("layers").iter().find(|layer| layer["diff-id"] == *layers[0]).expect("its layer");
    assert_eq!((layer["files"].as_u64(), &layer["images"]), (Some(1), &serde_json::json!([0, 1])), "{layer}");
    assert!(layer["packed"].as_u64().is_some_and(|packed| packed <= 20 << 10), "{layer}");
}

/// A build that finds nothing to do starts no compiler.
fn the_compiler_is_asked_once() {
    let project = app("health-fresh", X86);
    let sysroot = PathBuf::from(judge("rustc", &["--print", "sysroot"]).trim());
    let script = format!("#!/bin/sh\necho asked >> \"$LOG\"\nexec {}/bin/rustc \"$@\"\n", sysroot.display());
    project.write("tools/rustc", &script);
    ok(Command::new("chmod").arg("+x").arg(project.path().join("tools/rustc")));
    let log = project.path().join("log");
    let build = || {
        let mut command = pack(&project, X86, &[]);
        let path = format!("{}:{}", project.path().join("tools").display(), std::env::var("PATH").expect("PATH"));
        let output =
            run(command.env("PATH", path).env("LOG", &log).env("RUSTUP_TOOLCHAIN", sysroot.file_name().expect("toolchain")));
        assert!(output.status.success(), "{}", text(&output.stderr));
        (text(&output.stderr), std::fs::read_to_string(&log).expect("asked").lines().count())
    };
    let (first, asked) = build();
    let (second, still) = build();
    assert!(first.contains("Packing") && second.contains("Fresh"), "{first}\n{second}");
    assert_eq!(asked, still);
}

/// Without a compiler, and where the table says so, the image has no such program, and that is noted.
fn without_it_there_is_a_note() {
    let project = on_nothing("health-none");
    let noted = |project: &Project, rustc: Option<&str>| {
        let mut command = pack(project, X86, &[]);
        let output = run(rustc.into_iter().fold(&mut command, |command, rustc| command.env("RUSTC", rustc)));
        assert!(output.status.success(), "{}", text(&output.stderr));
        let is_in_it =
            text(&output.stdout).lines().any(|bundle| inspected(project, bundle)["largest"].to_string().contains(PROBE));
        (is_in_it, text(&output.stderr).contains("note[health-ignored]"))
    };
    assert_eq!(noted(&project, None), (true, false));
    assert_eq!(noted(&project, Some("/nowhere/rustc")), (false, true));
    for service in ["bare", "usual"] {
        project.edit(&format!("services/{service}/Cargo.toml"), |text| text.replace("retries = 2", "probe = false"));
    }
    assert_eq!(noted(&project, None), (false, true));
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(compose_asks_by_path_and_by_port, [compose, docker]),
        test!(compose_asks_in_images_for_arm64, [compose, docker_arm64, arm64_rust]),
        test!(a_task_of_a_swarm_is_asked_for_its_health, [docker]),
        test!(a_grpc_server_is_asked_in_the_container_and_from_outside, [docker, grpc_python]),
        test!(kubernetes_asks_ports_and_grpc_by_itself, [kubectl, kubernetes_validate]),
        test!(a_check_asks_one_thing),
        test!(it_is_small_stored_once_and_the_same_in_each_folder),
        test!(the_compiler_is_asked_once),
        test!(without_it_there_is_a_note),
    ])
}
