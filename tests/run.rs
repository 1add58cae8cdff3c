//! `cargo appbundle run`: real containers, started, watched, and stopped.

mod support;

use std::process::{Command, ExitCode, Output};

use support::harness::{self, test};
use support::needs::{compose, docker, podman};
use support::podman::Podman;
use support::running::{Proxy, left, position, start};
use support::{Project, appbundle, fails, free_ports, judge, ok, run, text};

const X86: &str = "x86_64-unknown-linux-gnu";
const SERVER: &str = include_str!("programs/server.c");

/// Services that are each the same program of this machine.
fn app(name: &str, services: &[(&str, &str)]) -> Project {
    let project = Project::named(name, &[]);
    project.edit("Cargo.toml", |text| format!("{text}targets = [\"{X86}\"]\n"));
    for (service, table) in services {
        project.service(service, table);
        project.compile("cc", service, SERVER, &["-O1"]);
    }
    project
}

fn command(project: &Project, arguments: &[&str]) -> Command {
    let mut command = appbundle(project.path(), &["run", "--no-compile", "--bin-dir", "bin", "--color", "never"]);
    command.args(arguments);
    command
}

/// A table whose service is well at a port of the host.
fn in_host_network(port: u16) -> String {
    format!("environment = {{ PORT = \"{port}\" }}\nnetwork-mode = \"host\"\nhealthcheck = {{ path = \"/\", port = {port} }}\n")
}

const HEALTHY: &str = "environment = { PORT = \"8000\" }\nhealthcheck = { path = \"/\", port = 8000 }\n";

fn services_start_in_order_find_one_another_and_stop_in_reverse() {
    let [port] = free_ports();
    let store = HEALTHY.replace("{ PORT", "{ SLOW = \"2\", GREETING = \"a $HOME\", PORT")
        + "args = [\"words here\"]\nvolumes = [\"kept:/kept\"]\n";
    let front = HEALTHY.replace("{ PORT", "{ FRIEND = \"store\", PORT")
        + &format!("depends-on = [\"store\"]\nports = [\"127.0.0.1:{port}:8000\"]\nuser = \"1234\"\n");
    let project = app("running", &[("front", &front), ("store", &store)]);
    for (signal, arguments) in [("INT", &[][..]), ("TERM", &["-p", "front"])] {
        let mut running = start(&mut command(&project, arguments));
        running.wait_for("Running 2 services");
        // It asks by itself, and the engine does not ask as well.
        let store = judge("docker", &["ps", "-q", "--filter", "name=running-.*-store"]);
        let check = judge("docker", &["inspect", "--format", "{{json .Config.Healthcheck}}", store.trim()]);
        assert_eq!(check.trim(), "{\"Test\":[\"NONE\"]}");
        let mut page = String::new();
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).expect("the published port");
        std::io::Write::write_all(&mut stream, b"GET / HTTP/1.0\r\n\r\n").expect("asked");
        std::io::Read::read_to_string(&mut stream, &mut page).expect("answered");
        assert!(page.starts_with("HTTP/1.0 200"), "{page}");
        running.signal(signal);
        let (code, said) = running.end();
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("store | started with words here and a $HOME as 65532\n"), "{said}");
        assert!(said.contains("front | started with nothing and nothing as 1234\n"), "{said}");
        assert!(said.contains("front | store answers\n"), "{said}");
        assert!(position(&said, "Healthy store") < position(&said, "Starting front"), "{said}");
        assert!(position(&said, "Stopping front") < position(&said, "Stopping store"), "{said}");
        assert!(said.contains("front | ending on SIGTERM") && said.contains("store | ending on SIGTERM"), "{said}");
        assert_eq!(left("running"), "");
    }
    // What a bundle says is enough.
    let bundle = ok(project.pack(&["--format", "auterionos"]).args(["--target", X86]));
    let mut running = start(&mut appbundle(project.path(), &["run", bundle.trim(), "--color", "never"]));
    running.wait_for("Running 2 services");
    running.signal("INT");
    let (code, said) = running.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(position(&said, "Starting store") < position(&said, "Starting front"), "{said}");
    run(Command::new("docker").args(["volume", "rm", "running_kept", "com-example-running_kept"]));
}

fn two_runs_do_not_meet() {
    let project = app("twice", &[("one", HEALTHY)]);
    let mut runs = [start(&mut command(&project, &[])), start(&mut command(&project, &[]))];
    runs.iter_mut().for_each(|run| drop(run.wait_for("Running 1 service;")));
    for run in runs {
        run.signal("INT");
        let (code, said) = run.end();
        assert_eq!(code, Some(0), "{said}");
    }
    assert_eq!(left("twice"), "");
}

fn what_does_not_become_well_is_told_and_removed() {
    let sick = HEALTHY.replace("{ PORT", "{ SICK = \"1\", PORT");
    let project = app("sick", &[("store", &sick), ("front", &(HEALTHY.to_owned() + "depends-on = [\"store\"]\n"))]);
    let Output { status, stdout, stderr } = run(&mut command(&project, &["--timeout", "2"]));
    let (shown, said) = (text(&stdout), text(&stderr));
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(
        said.contains("error[service-unhealthy]: the service `store` is not healthy after 2 s: GET :8000/: answered 503"),
        "{said}"
    );
    assert!(said.contains("help: ") && !said.contains("Starting front"), "{said}");
    assert!(shown.contains("store | started with"), "{shown}");
    assert_eq!(left("sick"), "");

    project.service("store", &HEALTHY.replace("{ PORT", "{ FAIL = \"7\", PORT"));
    let Output { status, stdout, stderr } = run(&mut command(&project, &[]));
    let (shown, said) = (text(&stdout), text(&stderr));
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(
        said.contains("error[service-ended]: the service `store` ended with exit code 7") && shown.contains("store | failing"),
        "{said}{shown}"
    );
    assert_eq!(left("sick"), "");

    // A script whose interpreter the image does not have cannot be started; nothing is left of the attempt.
    project.write("services/store/broken", "#!/nonexistent\n");
    let broken = "files = [{ from = \"broken\", to = \"/opt/broken\", mode = \"0755\" }]\ncommand = [\"/opt/broken\"]\n";
    project.service("store", broken);
    let Output { stdout, stderr, .. } = run(&mut command(&project, &[]));
    let (shown, said) = (text(&stdout), text(&stderr));
    assert!(said.contains("`store` ended with exit code 127") && (said + &shown).contains("exec /opt/broken failed"), "{shown}");
    assert_eq!(left("sick"), "");
    project.service("store", "devices = [\"/dev/nonexistent\"]\n");
    let error = fails(&mut command(&project, &[]), 1);
    assert!(error.contains("this machine has no device `/dev/nonexistent`"), "{error}");
    assert_eq!(left("sick"), "");
    let error = fails(&mut command(&project, &["-p", "stor"]), 1);
    assert!(error.contains("no service or package named `stor`; did you mean `store`?"), "{error}");
}

fn a_port_that_is_taken_is_told_and_removed() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("address").port();
    let project = app("taken", &[("store", &format!("{HEALTHY}ports = [\"127.0.0.1:{port}:8000\"]\n"))]);
    let error = fails(&mut command(&project, &[]), 1);
    let told = format!("error[port-taken]: port {port} of `store` is already in use by `");
    assert!(error.contains(&told) && error.contains(&format!("(PID {})", std::process::id())), "{error}");
    assert!(!error.contains("Compiling") && !error.contains("Starting"), "{error}");
    assert_eq!(left("taken"), "");
    // Of a container, it is not the engine's process that is named.
    let [port] = free_ports();
    let holder = format!("holder-{port}");
    let mut docker = Command::new("docker");
    judge("docker", &["load", "-i", ok(&mut project.pack(&["--format", "docker"])).trim()]);
    let published = format!("127.0.0.1:{port}:8000");
    ok(docker.args(["run", "--detach", "--rm", "--name", &holder, "-p", &published, "com.example.taken.store:1.2.3"]));
    project.edit("services/store/Cargo.toml", |text| text.replace("ports = [", &format!("ports = [\"127.0.0.1:{port}:8001\", ")));
    let error = fails(&mut command(&project, &[]), 1);
    ok(Command::new("docker").args(["rm", "--force", &holder]));
    assert!(error.contains(&format!("port {port} of `store` is already in use by the container `{holder}`")), "{error}");
}

/// What an `.env` may have. Compose itself says what each line means.
const DOTENV: &str = concat!(
    "\u{feff}# a comment\n\nPLAIN=value\n  SPACED  =  two words  \nexport EXPORTED=yes\nexport\tTAB=a\t# no comment\nexportED=odd\n",
    "YAML: colon\nCOLON:x\nSINGLE='it is $PLAIN # not \"this\"\\n'\nDOUBLE=\"a ${PLAIN} # b \\\"q\\\" \\$PLAIN \\n\\tz \\\\ \\a \\x \\' back\"\n",
    "INLINE=x # comment\nHASH=x#y\nHASHQ=\"x\" # after\nFIRST=#x\nSECOND=  # x\nEMPTY=\nEMPTYQ=''\n",
    "USES=${PLAIN}-${NONE:-fallback}-$LATER\nLATER=1\nNEST=${NONE:-${PLAIN}}\nPLUS=${PLAIN:+set}\nDOLLAR=5$$\nBACK=a\\nb\\$PLAIN\n",
    "MULTI=\"line one\nline two\"\nDOTTED.NAME=dot\n1DIGIT=one\nD-ASH=dash\nOVER=file\nUSESOVER=${OVER}\nTWO=\"q\" MORE=1\nINHERITED\nNOTSET\n",
    "ESC='a\\'b\\\\'\nDUP=1\nDUP=2\nPAIR=a=b\nUNI=\u{fc}\nCR=x # c\r\nCRQ=\"q\"\r\nQUOTE=a\"b\"\nTOKEN=of a file\nLAST=last",
);

/// The environment that compose gives a service of `app.yml`.
fn composed(project: &Project) -> std::collections::BTreeMap<String, String> {
    let mut compose = Command::new("docker-compose-v2");
    compose.current_dir(project.path()).args(["-p", "x", "-f", "app.yml", "config", "--format", "json"]);
    let shown: serde_json::Value =
        serde_json::from_str(&ok(compose.envs([("OVER", "process"), ("INHERITED", "ours")]))).expect("JSON");
    let environment = shown["services"]["store"]["environment"].as_object().expect("a table").clone();
    let pairs = environment.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.replace("$$", "$"))));
    pairs.collect()
}

fn an_env_file_is_read_as_compose_reads_it() {
    let project =
        app("dotenv", &[("store", &format!("{HEALTHY}secrets = {{ TOKEN = {{ secret = \"tokens\", key = \"api\" }} }}\n"))]);
    let names = DOTENV
        .split(['\n', ' ', '=', ':', '\t', '\u{feff}'])
        .filter(|word| word.chars().next().is_some_and(char::is_uppercase) && word.bytes().all(|b| b.is_ascii_uppercase()));
    let names: std::collections::BTreeSet<&str> = names.chain(["NONE", "exportED"]).collect();
    assert!(names.len() > 35, "{names:?}");
    let replaced: String = names.iter().map(|name| format!("      T_{name}: '${{{name}-unset}}'\n")).collect();
    let handed: String =
        ["1DIGIT", "D-ASH", "DOTTED.NAME", "EMPTY", "INHERITED", "NOTSET"].map(|name| format!("      {name}:\n")).concat();
    let text = format!(
        "services:\n  store:\n    image: store:#VERSION#\n    env_file: settings.env\n    environment:\n      PORT: 8000\n{replaced}{handed}"
    );
    project.write("app.yml", &text);
    project.write(".env", DOTENV);
    project.write(
        "settings.env",
        "# theirs\nS_USES=\"${PLAIN} ${S_NONE:-d} ${OVER}\"\nS_RAW='$PLAIN' # c\nexport OVER=settings\nINHERITED\nPORT=1\n",
    );
    let mut running = start(command(&project, &[]).envs([("OVER", "process"), ("INHERITED", "ours")]));
    running.wait_for("Running 1 service;");
    let name = judge("docker", &["ps", "--filter", "name=dotenv-", "--format", "{{.Names}}"]);
    let given: Vec<String> =
        serde_json::from_str(&judge("docker", &["inspect", "--format", "{{json .Config.Env}}", name.trim()])).expect("JSON");
    let mut given: std::collections::BTreeMap<String, String> =
        given.iter().filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    running.signal("INT");
    let (code, said) = running.end();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(given.remove("TOKEN").as_deref(), Some("of a file"));
    given.remove("PATH");
    let wanted = composed(&project);
    assert!(wanted.len() > 45 && wanted["T_OVER"] == "process" && wanted["OVER"] == "settings", "{wanted:?}");
    assert_eq!(given, wanted);
    assert_eq!(left("dotenv"), "");

    // A mistake in it is told with its line, before anything is built.
    project.write(".env", "A=1\nB C=2\n");
    let error = fails(&mut command(&project, &[]), 1);
    assert!(
        error.contains("/.env`") && error.contains("line 2\n") && error.contains("the name `B C` contains a space"),
        "{error}"
    );
    assert!(!error.contains("Packing") && !error.contains("Starting"), "{error}");
    // Without it, the secret is not set.
    std::fs::remove_file(project.path().join(".env")).expect("removed");
    let error = fails(&mut command(&project, &[]), 1);
    assert!(error.contains("error[variable-missing]: the variable `TOKEN` of the service `store` is not set"), "{error}");
    assert!(
        error.contains("help: set it in `.env` next to the workspace's `Cargo.toml`, or before the command: `TOKEN=…"),
        "{error}"
    );
}

/// What Docker can do is done, and the rest is told.
fn a_compose_file_limits_its_containers() {
    let project = app("bounded", &[("store", HEALTHY)]);
    let text = "services:\n  store:\n    image: store:#VERSION#\n    environment: { PORT: 8000 }\n    deploy:\n      mode: replicated\n      replicas: 2\n      \
        placement: { constraints: [node.role == manager] }\n      resources:\n        limits: { cpus: '0.50', memory: 64M, pids: 5 }\n        \
        reservations: { cpus: '0.25', memory: 32M }\n";
    project.write("app.yml", text);
    let mut running = start(&mut command(&project, &[]));
    let said = running.wait_for("Running 1 service;");
    let name = judge("docker", &["ps", "--filter", "name=bounded-", "--format", "{{.Names}}"]);
    let format = "{{.HostConfig.NanoCpus}} {{.HostConfig.Memory}} {{.HostConfig.CpuShares}} {{.HostConfig.MemoryReservation}}";
    assert_eq!(judge("docker", &["inspect", "--format", format, name.trim()]).trim(), "500000000 67108864 256 33554432");
    let told = "note[keys-ignored]: `deploy.placement`, `deploy.resources.limits.pids` of the service `store` is ignored here";
    assert!(said.contains(told), "{said}");
    assert!(said.contains("note[replicas-ignored]: `replicas` of `store` is ignored: each service runs once"), "{said}");
    running.signal("INT");
    let (code, said) = running.end();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(left("bounded"), "");
}

/// Removes the containers of an app whatever becomes of the test.
struct Background(&'static str);

impl Drop for Background {
    fn drop(&mut self) {
        let script = "docker ps -aq --filter name=$0- | xargs -r docker rm -f; docker network ls -q --filter name=$0- | xargs -r docker network rm";
        run(Command::new("sh").args(["-c", script, self.0]));
    }
}

/// Later processes find what runs, also what a `run` in another terminal attends to.
fn what_runs_in_the_background_is_found_and_stopped() {
    let [port] = free_ports();
    let front = format!("{HEALTHY}depends-on = [\"store\"]\nports = [\"127.0.0.1:{port}:8000\"]\n");
    let _background = Background("behind");
    let project = app("behind", &[("front", &front), ("store", HEALTHY)]);
    let verb = |words: &[&str]| {
        let mut command = appbundle(project.path(), words);
        command.args(["--color", "never"]);
        command
    };
    assert!(text(&run(&mut verb(&["ps"])).stderr).contains("no container of behind was found"));
    let error = fails(&mut verb(&["logs"]), 1);
    assert!(error.contains("help: start the app with `cargo appbundle run --detach`"), "{error}");

    let said = text(&run(&mut command(&project, &["--detach"])).stderr);
    assert!(said.contains("Running 2 services in the background; `cargo appbundle stop` stops them"), "{said}");
    assert!(said.contains(&format!("Serving front at http://127.0.0.1:{port}")), "{said}");
    // Another run is no reason to remove it.
    let other = app("beside", &[("one", HEALTHY)]);
    let mut running = start(&mut command(&other, &[]));
    running.wait_for("Running 1 service;");
    running.signal("INT");
    running.end();
    let shown = ok(&mut verb(&["ps"]));
    let row = shown.lines().find(|line| line.starts_with("front ")).expect("a row");
    assert!(
        row.contains("Up ") && row.contains(&format!("127.0.0.1:{port}->8000/tcp")) && row.contains("run --detach"),
        "{shown}"
    );
    let states: serde_json::Value = serde_json::from_str(&ok(&mut verb(&["ps", "--json"]))).expect("JSON");
    assert_eq!(
        (states.as_array().map(Vec::len), &states[0]["service"], &states[0]["state"]),
        (Some(2), &"store".into(), &"running".into())
    );
    assert_eq!(ok(&mut verb(&["logs", "store", "--tail", "1"])), "store | started with nothing and nothing as 65532\n");
    assert!(ok(&mut verb(&["logs"])).contains("front | started with nothing"));
    let error = fails(&mut verb(&["logs", "stor"]), 1);
    assert!(error.contains("no container of the service `stor` was found; did you mean `store`?"), "{error}");
    // The exit code of the command is that of the program in the container.
    ok(appbundle(project.path(), &["exec", "store", "/usr/local/bin/store", "--ask"]).env("PORT", "1"));
    let missing = run(&mut appbundle(project.path(), &["exec", "--app", "behind", "store", "/nonexistent"]));
    assert!(matches!(missing.status.code(), Some(126 | 127)), "{missing:?}");
    let mut following = start(&mut verb(&["logs", "--follow"]));
    following.wait_for("front | started with");
    let said = text(&run(&mut verb(&["stop"])).stderr);
    assert!(position(&said, "Stopping front") < position(&said, "Stopping store"), "{said}");
    assert!(said.contains("Removed 2 containers and the network"), "{said}");
    let (code, said) = following.end();
    assert!(code == Some(0) && said.contains("store | ending on SIGTERM"), "{said}");
    assert_eq!(left("behind"), "");

    let mut running = start(&mut command(&project, &[]));
    running.wait_for("Running 2 services;");
    let shown = ok(&mut verb(&["ps"]));
    assert!(shown.contains(&format!("process {}", running.child.id())), "{shown}");
    ok(&mut verb(&["stop"]));
    let (code, said) = running.end();
    assert!(code == Some(0) && said.contains("Removed 2 containers and the network"), "{said}");
    assert_eq!(left("behind"), "");
    assert!(text(&run(&mut verb(&["stop"])).stderr).contains("Stopped nothing"));
    // What does not become healthy is not left behind.
    project.service("store", &HEALTHY.replace("{ PORT", "{ FAIL = \"7\", PORT"));
    fails(&mut command(&project, &["--detach"]), 1);
    assert_eq!(left("behind"), "");
}

/// Every line of stdout is JSON: what containers print as well.
fn with_json_stdout_is_json_alone() {
    let project = app("lines", &[("store", &format!("{HEALTHY}replicas = 2\n"))]);
    let mut running = start(&mut command(&project, &["--message-format", "json"]));
    running.wait_for("Running 1 service;");
    running.signal("INT");
    let (code, said) = running.end();
    assert_eq!(code, Some(0), "{said}");
    let line = "{\"reason\":\"appbundle-output\",\"service\":\"store\",\"line\":\"started with nothing and nothing as 65532\"}";
    assert!(said.contains(line) && !said.contains("store |"), "{said}");
    assert!(said.contains("note[replicas-ignored]: `replicas` of `store` is ignored: each service runs once"), "{said}");
    assert_eq!(left("lines"), "");
}

fn what_does_not_end_is_killed_and_what_ends_well_is_no_fault() {
    let stubborn = HEALTHY.replace("{ PORT", "{ STUBBORN = \"1\", PORT");
    let project = app("stubborn", &[("store", &stubborn), ("task", "environment = { FAIL = \"0\", PORT = \"1\" }\n")]);
    let mut running = start(&mut command(&project, &[]));
    running.wait_for("Running 2 services");
    running.wait_for("Ended task");
    running.signal("INT");
    running.wait_for("Stopping store");
    running.signal("INT");
    let (code, said) = running.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("did not exit on SIGTERM; killed"), "{said}");
    assert_eq!(left("stubborn"), "");

    // All that run have ended: so has the app.
    let project = app(
        "tasks",
        &[("task", "environment = { FAIL = \"0\", PORT = \"1\" }\nhealthcheck = { command = [\"/usr/local/bin/task\"] }\n")],
    );
    let said = text(&run(&mut command(&project, &[])).stderr);
    assert!(said.contains("Ended task") && said.contains("Removed 1 container and the network"), "{said}");
}

/// A program that handles no signal ends at once below an init; without one, all that are stubborn take as long as one.
fn services_end_at_once_and_together() {
    let plain = SERVER.replace("signal(SIGTERM, getenv(\"STUBBORN\") ? SIG_IGN : end);", "");
    assert_ne!(plain, SERVER);
    let stubborn = format!("init = false\nstop-grace-period = \"4s\"\n{HEALTHY}");
    let above = format!("{HEALTHY}depends-on = [\"one\", \"two\"]\n");
    let project = app("together", &[("one", HEALTHY), ("two", HEALTHY), ("front", &above)]);
    ["one", "two", "front"].iter().for_each(|name| project.compile("cc", name, &plain, &["-O1"]));
    let ends = |project: &Project| {
        let mut running = start(&mut command(project, &[]));
        running.wait_for("Running 3 services; Ctrl-C stops them");
        let asked = std::time::Instant::now();
        running.signal("INT");
        let (code, said) = running.end();
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(left("together"), "");
        (asked.elapsed().as_secs_f64(), said)
    };
    let (took, said) = ends(&project);
    assert!(took < 4.0 && !said.contains("killed"), "{took}: {said}");
    assert!(position(&said, "Stopping front; press Ctrl-C again to kill\n") < position(&said, "Stopping two, one\n"), "{said}");
    ["one", "two"].iter().for_each(|name| project.service(name, &stubborn));
    let (took, said) = ends(&project);
    assert_eq!(said.matches("did not exit on SIGTERM; killed").count(), 2, "{said}");
    assert!((4.0..7.5).contains(&took), "{took}: {said}");
}

fn a_command_checks_health_and_the_host_network_is_the_hosts() {
    let [port] = free_ports();
    let check = in_host_network(port);
    // The program run as a check asks the server, and fails by its own exit code.
    let by_command = "environment = { PORT = \"8000\" }\ndepends-on = [\"host\"]\nhealthcheck = { command = [\"/usr/local/bin/checked\", \"--version\"] }\n";
    let project = app("checked", &[("host", &check), ("checked", by_command)]);
    let source = SERVER.replace(
        "int main(int count, char **words) {",
        "int main(int count, char **words) {\n if (count > 1) { FILE *f = fopen(\"/proc/1/comm\", \"r\"); return !f; }\n",
    );
    project.compile("cc", "checked", &source, &["-O1"]);
    let mut running = start(&mut command(&project, &[]));
    let said = running.wait_for("Running 2 services");
    assert!(said.contains("Healthy host") && said.contains("Healthy checked"), "{said}");
    running.signal("INT");
    let (code, said) = running.end();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(left("checked"), "");
}

fn podman_runs_it_too() {
    let podman = Podman::start();
    let [one, two] = free_ports();
    let project =
        app("podded", &[("store", &in_host_network(one)), ("front", &(in_host_network(two) + "depends-on = [\"store\"]\n"))]);
    let mut running = start(command(&project, &[]).env("DOCKER_HOST", podman.url()));
    running.wait_for("Running 2 services");
    running.signal("TERM");
    let (code, said) = running.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(position(&said, "Healthy store") < position(&said, "Starting front"), "{said}");
    assert!(said.contains("store | ending on SIGTERM") && said.contains("Removed 2 containers"), "{said}");
    assert_eq!(judge("podman", &["--url", &podman.url(), "ps", "-aq"]), "");
}

fn a_bundle_without_a_compose_file_runs_its_images() {
    let [port] = free_ports();
    let project = app("bare", &[("one", &format!("{HEALTHY}ports = [\"{port}:8000\"]\n"))]);
    let bundle = ok(project.pack(&["--format", "docker"]).args(["--target", X86]));
    let elsewhere = tempfile::tempdir().expect("folder");
    let copy = elsewhere.path().join("bare.tar");
    std::fs::copy(bundle.trim(), &copy).expect("copied");
    let mut running = start(&mut appbundle(elsewhere.path(), &["run", "bare.tar", "--color", "never"]));
    let said = running.wait_for("Running 1 service;");
    assert!(said.contains("note[template-missing]: this bundle has no `app.yml`"), "{said}");
    running.signal("INT");
    let (code, said) = running.end();
    assert_eq!(code, Some(0), "{said}");
}

fn an_engine_that_goes_away_is_told_and_the_next_run_clears_up() {
    let project = app("cutoff", &[("one", HEALTHY)]);
    let proxy = Proxy::start();
    let mut running = start(command(&project, &[]).env("DOCKER_HOST", proxy.url()));
    running.wait_for("Running 1 service;");
    proxy.cut();
    let (code, said) = running.end();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&format!("the engine at `{}` (DOCKER_HOST) stopped answering while", proxy.url())), "{said}");
    assert!(said.contains("failed to remove all containers") && said.contains("help: look for the cause in its log"), "{said}");
    assert_ne!(left("cutoff"), "");
    let mut running = start(&mut command(&project, &[]));
    running.wait_for("Running 1 service;");
    running.signal("INT");
    let (code, said) = running.end();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(left("cutoff"), "");
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(services_start_in_order_find_one_another_and_stop_in_reverse, [docker]),
        test!(two_runs_do_not_meet, [docker]),
        test!(what_does_not_become_well_is_told_and_removed, [docker]),
        test!(a_port_that_is_taken_is_told_and_removed, [docker]),
        test!(an_env_file_is_read_as_compose_reads_it, [docker, compose]),
        test!(a_compose_file_limits_its_containers, [docker]),
        test!(what_runs_in_the_background_is_found_and_stopped, [docker]),
        test!(with_json_stdout_is_json_alone, [docker]),
        test!(what_does_not_end_is_killed_and_what_ends_well_is_no_fault, [docker]),
        test!(services_end_at_once_and_together, [docker]),
        test!(a_command_checks_health_and_the_host_network_is_the_hosts, [docker, podman]),
        test!(podman_runs_it_too, [podman]),
        test!(a_bundle_without_a_compose_file_runs_its_images, [docker]),
        test!(an_engine_that_goes_away_is_told_and_the_next_run_clears_up, [docker]),
    ])
}
