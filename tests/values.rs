//! Does a process get exactly the values that are written, on whatever way they come to it?

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::harness::{self, test};
use support::needs::{compose, docker, kubectl, new_docker};
use support::running::start;
use support::swarm::{Swarm, app, left, verb};
use support::{DESTINATIONS, NEW_DOCKER, Project, appbundle, judge, ok, run, text};

/// Both generations of compose.
const COMPOSE: [&str; 2] = ["docker-compose", "docker-compose-v2"];

const SECRET: &str = "s3 $ecret";

/// Values that some format on the way would like to understand.
const VALUES: [&str; 29] = [
    "",
    " space around ",
    "5 $",
    "$HOME",
    "${HOME}",
    "${HOME:-x}",
    "$$HOME",
    "$(HOME)",
    "$$(HOME)",
    "a # b",
    "# b",
    "'single'",
    "\"double\"",
    "back\\slash \\n \\$",
    "one\ntwo",
    "one\n\n  two \n",
    "\n",
    "tab\tand\rreturn",
    "yes",
    "null",
    "~",
    "0x10",
    "1:30",
    "2001-02-03",
    "{{.Node.ID}}",
    "{{",
    "\\{{\"x\"}} }} {{`y`}}",
    "{ a: [b, *c, &d] } !e %f @g `h`",
    "grün 図 \u{1f600}",
];

fn variables() -> BTreeMap<String, String> {
    VALUES.iter().enumerate().map(|(at, value)| (format!("VALUE_{at}"), (*value).to_owned())).collect()
}

/// All variables as a TOML table.
fn table() -> String {
    let pairs = variables().into_iter().map(|(name, value)| format!("{name} = {}", toml::Value::from(value)));
    format!("environment = {{ {} }}\n", pairs.collect::<Vec<_>>().join(", "))
}

/// What a container's process has in its environment, NAME and value in hexadecimal digits.
const PRINTER: &str = "#include <stdio.h>\n#include <string.h>\nextern char **environ;\nint main() {\n\
    for (char **e = environ; *e; e++) { char *v = strchr(*e, '='); *v++ = 0; printf(\"%s=\", *e);\n\
    for (; *v; v++) printf(\"%02x\", (unsigned char)*v); puts(\"\"); } return 0; }\n";

/// The same in a program that then runs until it is told to end.
fn waiting_printer() -> String {
    let head = "#include <signal.h>\n#include <unistd.h>\nstatic void end(int s) { _exit(0); }\n";
    head.to_owned()
        + &PRINTER
            .replace("int main() {", "int main() { signal(SIGTERM, end);")
            .replace("return 0;", "puts(\"all\"); fflush(stdout); for (;;) pause();")
}

fn printed(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter_map(|line| line.split_once('='));
    let value = |hex: &str| {
        let bytes: Vec<u8> =
            (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hex")).collect();
        String::from_utf8(bytes).expect("UTF-8")
    };
    lines.filter(|(name, _)| name.starts_with("VALUE_")).map(|(name, hex)| (name.to_owned(), value(hex))).collect()
}

/// A project of one service that prints its environment, packed for this machine.
fn project() -> Project {
    let project = Project::named("values", &[]);
    let more = "targets = [\"x86_64-unknown-linux-gnu\"]\nformats = [\"docker\", \"auterionos\", \"oci\"]\n\
        [workspace.metadata.appbundle.auterion]\ntarget-platform = [\"simulation\"]\n";
    project.edit("Cargo.toml", |text| format!("{text}{more}"));
    let secret = "restart = \"no\"\nsecrets = { VALUE_SECRET = { secret = \"a\", key = \"b\" } }\n";
    project.service("values-printer", &(table() + secret));
    project.compile("cc", "values-printer", PRINTER, &["-O1"]);
    project
}

fn with_secret() -> BTreeMap<String, String> {
    let mut all = variables();
    all.insert("VALUE_SECRET".into(), SECRET.into());
    all
}

/// What the service of a compose file prints.
fn composed(compose: &str, file: &Path) -> BTreeMap<String, String> {
    let command = |arguments: &[&str]| {
        let mut command = Command::new(compose);
        command.args(["-p", "appbundle-test-values", "-f"]).arg(file).args(arguments).env("VALUE_SECRET", SECRET);
        command
    };
    let output = run(&mut command(&["up", "--no-color", "--exit-code-from", "values-printer"]));
    let container = ok(&mut command(&["ps", "-aq"]));
    let logs = run(Command::new("docker").args(["logs", container.trim()]));
    run(&mut command(&["down", "--volumes"]));
    assert!(output.status.success(), "{compose} {}: {}{}", file.display(), text(&output.stdout), text(&output.stderr));
    printed(&text(&logs.stdout))
}

fn a_process_gets_exactly_the_values_that_are_written() {
    const IMAGE: &str = "com.example.values.values-printer:1.2.3";
    let project = project();
    let bundles = ok(project.pack(&[]).env("VALUE_SECRET", SECRET));
    let path = |name: &str| project.path().join("target/appbundle").join(name);

    // What an image says itself: ours, and what Docker makes of the Dockerfiles.
    let docker = |arguments: &[&str]| ok(Command::new("/usr/bin/docker").args(arguments).current_dir(path("docker")));
    docker(&["load", "-i", bundles.lines().find(|line| line.ends_with(".docker.tar")).expect("an archive")]);
    assert_eq!(printed(&docker(&["run", "--rm", IMAGE])), variables(), "docker run");
    docker(&["build", "-q", "-t", "com.example.values.base:1.2.3", "-f", "Dockerfile.base", "."]);
    // A Dockerfile has no words for several lines; a note says which values have to be given.
    let lines: Vec<String> = variables().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let lines = lines.iter().filter(|line| line.contains('\n')).flat_map(|line| ["--build-arg", line.as_str()]);
    docker(
        &["build", "-q", "-t", "appbundle-test-values:1"].into_iter().chain(lines).chain(["values-printer"]).collect::<Vec<_>>(),
    );
    assert_eq!(printed(&docker(&["run", "--rm", "appbundle-test-values:1"])), variables(), "docker build");
    docker(&["rmi", "--force", "appbundle-test-values:1", "com.example.values.base:1.2.3"]);

    // Compose files; one of them with the executable of this machine.
    let all = ["generate", "--for", DESTINATIONS];
    ok(appbundle(project.path(), &all).env("VALUE_SECRET", SECRET));
    std::fs::create_dir_all(project.path().join("target/debug")).expect("folder");
    std::fs::copy(project.path().join("bin/values-printer"), project.path().join("target/debug/values-printer")).expect("copied");
    let mut in_dev = with_secret();
    for compose in COMPOSE {
        let got = composed(compose, &path("compose/values/docker-compose.yml"));
        assert_eq!(got, with_secret(), "{compose}");
        let got = composed(compose, &path("dev/values-dev/docker-compose.dev.yml"));
        assert_eq!(got, in_dev, "{compose}, dev");
    }
    let got = composed("docker-compose-v2", &path("auterionos/app.yml"));
    assert_eq!(got.into_iter().filter(|(name, _)| name != "VALUE_SECRET").collect::<BTreeMap<_, _>>(), variables(), "app.yml");

    // Our own verbs.
    let mut command = appbundle(project.path(), &["run", "--no-compile", "--bin-dir", "bin", "--color", "never"]);
    let said = ok(command.env("VALUE_SECRET", SECRET));
    assert_eq!(printed(&said.replace("values-printer | ", "")), with_secret(), "run");
    let mut command = appbundle(project.path(), &["dev", "--no-compile", "--bin-dir", "bin", "--color", "never"]);
    let mut running = start(command.env("VALUE_SECRET", SECRET));
    running.wait_for("Ended values-printer");
    running.signal("INT");
    in_dev.remove("ENV");
    assert_eq!(printed(&running.end().1.replace("values-printer | ", "")), in_dev, "dev");
    judge("docker", &["rmi", "--force", IMAGE, "com.example.values.values-printer:dev"]);

    // Of the secret, nothing was written by any of that: neither into a file nor into a bundle, nor into what is in it.
    let script = "find target -type f | while read -r file; do\n\
        { cat \"$file\"; zcat -f \"$file\"; tar -xOf \"$file\" data/0000.tar.gz | tar -xzO | zcat; } 2>/dev/null | grep -a -q 's3 .*ecret' && echo \"$file\"\n\
        { cat \"$file\"; zcat -f \"$file\"; tar -xOf \"$file\" data/0000.tar.gz | tar -xzO | zcat; } 2>/dev/null | grep -a -q 'VALUE_1=' && echo seen >&2\n\
        done; true";
    let searched = run(Command::new("sh").args(["-c", script]).current_dir(project.path()));
    assert_eq!(text(&searched.stdout), "", "the secret is in these");
    // It would have been found: a plain value is, in the bundles, too.
    assert!(text(&searched.stderr).lines().count() > 3, "{}", text(&searched.stderr));
}

/// What the process of the only task of a service has in its environment.
fn in_task(service: &str) -> BTreeMap<String, String> {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let container = judge("docker", &["ps", "-q", "--filter", &format!("name={service}.")]);
        let logs = run(Command::new("docker").arg("logs").args(container.split_whitespace().next()));
        let said = text(&logs.stdout);
        if said.ends_with("all\n") {
            return printed(&said);
        }
        assert!(Instant::now() < end, "{}", judge("docker", &["service", "ps", "--no-trunc", service]));
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// A swarm would replace what stands between braces in a variable, when a task starts.
fn a_task_of_a_swarm_gets_exactly_the_values_that_are_written() {
    let _swarm = Swarm::new();
    let project = app("tasked", "swarm = { routing = \"host\" }\n");
    project.service("printer", &(table() + "secrets = { VALUE_SECRET = { secret = \"a\", key = \"b\" } }\n"));
    project.compile("cc", "printer", &waiting_printer(), &["-O1"]);
    let expected = |secret: &str| {
        let mut all = variables();
        all.insert("VALUE_SECRET".into(), secret.into());
        all
    };
    let secret = "{{.Node.ID}} {{ $x 'a' \"b\"\nc # d";
    ok(verb(&project, "deploy").env("VALUE_SECRET", secret));
    assert_eq!(in_task("tasked_printer"), expected(secret), "deploy");
    ok(&mut verb(&project, "remove"));
    assert_eq!(left("tasked"), "");
    // By hand, it is Docker that puts the secret into the file.
    ok(&mut appbundle(project.path(), &["generate", "--for", "swarm,stacks"]));
    for file in ["swarm/docker-stack.yml", "stacks/tasked.yml"] {
        let file = project.path().join("target/appbundle").join(file);
        let mut command = Command::new("docker");
        command.args(["stack", "deploy", "--resolve-image", "never", "-c"]).arg(&file).arg("tasked").env("VALUE_SECRET", SECRET);
        ok(&mut command);
        let got = in_task("tasked_printer");
        judge("docker", &["stack", "rm", "tasked"]);
        let end = Instant::now() + Duration::from_secs(60);
        while !left("tasked").is_empty() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(200));
        }
        assert_eq!(got, expected(SECRET), "{}", file.display());
    }
    judge("docker", &["rmi", "--force", "tasked.printer:1.2.3"]);
}

/// Everything that the parsers of the real tools make of the values is what was written.
fn the_parsers_of_the_tools_read_the_values_that_are_written() {
    let project = Project::new(&[]);
    project.service("printer", &table());
    ok(&mut appbundle(project.path(), &["generate", "--for", DESTINATIONS]));
    let top = project.path().join("target/appbundle");
    let strings = |value: &Value| -> BTreeMap<String, String> {
        let map = value.as_object().expect("a map").iter();
        let values = map.map(|(name, value)| (name.clone(), value.as_str().expect("a string").to_owned()));
        values.filter(|(name, _)| name.starts_with("VALUE_")).collect()
    };
    // What a device merges into its own compose file.
    let app: Value = serde_saphyr::from_str(&project.text("target/appbundle/auterionos/auterion-app.yml")).expect("YAML");
    let mut device = app["compose-override"].clone();
    device["services"]["printer"]["image"] = "x".into();
    device["version"] = "3.7".into();
    project.write("target/appbundle/auterionos/override.yml", &device.to_string());

    let stack: &[&str] = &[NEW_DOCKER, "stack", "config", "-c"];
    let (one, two): (&[&str], &[&str]) = (&["docker-compose", "-f"], &["docker-compose-v2", "-f"]);
    for (file, parsers) in [
        ("compose/demo/docker-compose.yml", [Some(one), Some(two)]),
        ("dev/demo-dev/docker-compose.dev.yml", [Some(one), Some(two)]),
        ("auterionos/app.yml", [None, Some(two)]),
        ("auterionos/override.yml", [Some(one), Some(two)]),
        ("swarm/docker-stack.yml", [Some(one), Some(stack)]),
        ("stacks/demo.yml", [Some(one), Some(stack)]),
    ] {
        for words in parsers.into_iter().flatten() {
            let mut command = Command::new(words[0]);
            command.args(&words[1..]).arg(top.join(file)).args((words != stack).then_some("config"));
            // Its YAML has no line breaks where a value is nothing else.
            command.args((words == two).then_some("--format=json"));
            let read: Value = serde_saphyr::from_str(&ok(&mut command)).expect("YAML");
            // Compose writes a file that can be read again; a swarm replaces what stands between braces, each time a task starts.
            let again = |value: String| if words == stack { value } else { value.replace("$$", "$") };
            let in_task = |value: String| if file.contains("stack") { value.replace("{{\"{{\"}}", "{{") } else { value };
            let values = strings(&read["services"]["printer"]["environment"]).into_iter();
            let values: BTreeMap<String, String> = values.map(|(name, value)| (name, in_task(again(value)))).collect();
            assert_eq!(values, variables(), "{words:?} {file}");
        }
    }
    let folder = top.join("kubernetes");
    let built = judge("kubectl", &["kustomize", folder.to_str().expect("path")]);
    let documents: Vec<Value> = serde_saphyr::from_multiple(&built).expect("YAML");
    let of_kind = |kind: &str| documents.iter().find(|document| document["kind"] == kind).expect("there");
    assert_eq!(strings(&of_kind("ConfigMap")["data"]), variables());
    // The same as kubectl's own objects, which it sends to a server.
    let file = folder.join("service-printer.yaml");
    let sent = judge("kubectl", &["annotate", "--local", "-o", "json", "-f", file.to_str().expect("path"), "seen=true"]);
    let sent: Vec<Value> = serde_json::Deserializer::from_str(&sent).into_iter().map(|one| one.expect("JSON")).collect();
    let config = sent.iter().find(|object| object["kind"] == "ConfigMap").expect("there");
    assert_eq!((strings(&config["data"]), &config["metadata"]["annotations"]["seen"]), (variables(), &"true".into()));
    let deployment = sent.iter().find(|object| object["kind"] == "Deployment").expect("there");
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["envFrom"], serde_json::json!([{ "configMapRef": { "name": config["metadata"]["name"] } }]));
    // Nothing of it stands where Kubernetes would replace `$(NAME)`.
    assert_eq!(of_kind("Deployment")["spec"]["template"]["spec"]["containers"][0]["env"], Value::Null);
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(a_process_gets_exactly_the_values_that_are_written, [docker, compose]),
        test!(a_task_of_a_swarm_gets_exactly_the_values_that_are_written, [docker]),
        test!(the_parsers_of_the_tools_read_the_values_that_are_written, [compose, kubectl, new_docker]),
    ])
}
