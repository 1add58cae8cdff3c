//! `generate --for`: what is written for each destination, held against the real tools.

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, ExitCode};

use serde_json::Value;
use support::harness::{self, test};
use support::needs::{compose, kubectl, kubernetes_validate, new_docker};
use support::{DESTINATIONS, NEW_DOCKER, Project, appbundle, fails, fixture, judge, ok, repository, run, text};

/// The other tests take all destinations out of one list.
fn the_list_of_destinations_is_that_of_the_help() {
    let help = ok(&mut appbundle(&repository(), &["generate", "--help"]));
    let destinations = help.split("\n      --for").nth(1).and_then(|rest| rest.split("\n      --").next()).expect("--for");
    let listed: Vec<&str> = destinations.lines().filter_map(|line| line.trim().strip_prefix("- ")?.split(':').next()).collect();
    assert_eq!(listed.join(","), DESTINATIONS, "{help}");
}

fn only_what_differs_fails_the_check() {
    let folder = fixture("every-key");
    ok(&mut appbundle(folder.path(), &["generate", "--for", DESTINATIONS]));
    ok(&mut appbundle(folder.path(), &["generate", "--check", "--for", DESTINATIONS]));
    std::fs::write(folder.path().join("target/appbundle/swarm/docker-stack.yml"), "").expect("written");
    let error = fails(&mut appbundle(folder.path(), &["generate", "--check", "--for", DESTINATIONS]), 1);
    assert!(error.contains("swarm/docker-stack.yml") && !error.contains("compose/every-key/docker-compose.yml"), "{error}");
}

/// All keys that a schema knows, with `*` for names that users choose.
fn keys_of_schema(schema: &Value, path: &str, keys: &mut BTreeSet<String>) {
    for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{key}");
        keys_of_schema(inner, &path, keys);
        keys.insert(path);
    }
    keys_of_schema_part(&schema["additionalProperties"], &format!("{path}.*"), keys);
    keys_of_schema_part(&schema["items"], path, keys);
    for several in ["anyOf", "oneOf", "allOf"] {
        schema[several].as_array().into_iter().flatten().for_each(|one| keys_of_schema(one, path, keys));
    }
}

fn keys_of_schema_part(schema: &Value, path: &str, keys: &mut BTreeSet<String>) {
    if schema.is_object() {
        keys_of_schema(schema, path, keys);
    }
}

/// Whether a table, or one of several, has the key at this path.
fn has_key(table: &toml::Value, path: &[&str]) -> bool {
    match (table, path) {
        (_, []) => true,
        (toml::Value::Array(items), _) => items.iter().any(|item| has_key(item, path)),
        (toml::Value::Table(table), ["*", rest @ ..]) => table.values().any(|inner| has_key(inner, rest)),
        (toml::Value::Table(table), [key, rest @ ..]) => table.get(*key).is_some_and(|inner| has_key(inner, rest)),
        _ => false,
    }
}

/// The fixture has to have every key that there is, in whatever depth.
fn every_key_is_every_key() {
    let read = |path: &str| std::fs::read_to_string(repository().join(path)).expect("read");
    let schema: Value = serde_json::from_str(&read("appbundle.schema.json")).expect("JSON");
    let manifest = |path: &str| toml::from_str::<toml::Value>(&read(&format!("tests/fixtures/every-key/{path}"))).expect("TOML");
    let table = |manifest: toml::Value, path: &[&str]| path.iter().fold(manifest, |table, key| table[*key].clone());
    let app = table(manifest("Cargo.toml"), &["workspace", "metadata", "appbundle"]);
    let service = |name: &str| table(manifest(&format!("services/{name}/Cargo.toml")), &["package", "metadata", "service"]);
    let services = toml::Value::Array(vec![service("hub"), service("store")]);
    // A container's keys are the same wherever one is written: it is enough that a service has them.
    let mut of_service = BTreeSet::new();
    keys_of_schema(&schema["$defs"]["service"], "", &mut of_service);
    let is_of_container = |key: &str| {
        let inner = ["stacks.*.build.*", "test.dependencies.*", "dev.dependencies.*"].iter().find_map(|at| key.strip_prefix(at));
        inner.is_some_and(|inner| of_service.contains(inner))
    };
    for (name, tables, other) in [
        // There is one base at a time, and files for deployments are the same over all of them, however the services are compiled.
        // Services whose images others made have tests of their own.
        ("app", app, &["base.", "build", "services", "variants"][..]),
        // What controls a stack is a service of its own, of which the tests of stacks tell; those of health checks tell of gRPC.
        ("service", services, &["base.", "controls", "default-features", "healthcheck.grpc"]),
    ] {
        let mut keys = BTreeSet::new();
        keys_of_schema(&schema["$defs"][name], "", &mut keys);
        assert!(keys.len() > 20, "{keys:?}");
        let keys = keys.iter().map(|key| key.trim_start_matches('.'));
        let unused: Vec<&str> = keys
            .filter(|key| !other.iter().any(|other| key.starts_with(other)) && !is_of_container(key))
            .filter(|key| !has_key(&tables, &key.split('.').collect::<Vec<_>>()))
            .collect();
        assert!(unused.is_empty(), "{name}: the fixture lacks {unused:?}");
    }
}

/// Both generations of compose: the program in Python, and the one in Go that is `docker compose`, too.
const COMPOSE: [&str; 2] = ["docker-compose", "docker-compose-v2"];

fn docker_compose_accepts_the_files() {
    let every = fixture("every-key");
    ok(&mut appbundle(every.path(), &["generate", "--for", DESTINATIONS]));
    let every = every.path().join("target/appbundle");
    let example = repository().join("tests/golden/photo-gallery");
    let of_all = |app: &str| {
        let compose = format!("compose/{app}/docker-compose.yml");
        [compose, format!("dev/{app}-dev/docker-compose.dev.yml"), "swarm/docker-stack.yml".to_owned()]
    };
    let of_stacks = ["stacks/every-key.yml", "stacks/inner.yml"].map(str::to_owned);
    let of_every = of_all("every-key").into_iter().chain(of_stacks).map(|file| every.join(file));
    let all = of_every.chain(of_all("photo-gallery").map(|file| example.join(file)));
    let secrets = ["TOKEN", "LICENSE", "PASSWORD"].map(|name| (name, "x"));
    for path in all {
        let above = |steps| path.ancestors().nth(steps).and_then(Path::file_name).expect("folder").to_str().expect("name");
        let of = if above(2) == "compose" { "compose".to_owned() } else { above(1).to_owned() };
        let path = path.to_str().expect("path");
        for compose in COMPOSE {
            ok(Command::new(compose).args(["-f", path, "config", "--quiet"]).envs(secrets));
            if of == "compose" && path.starts_with(every.to_str().expect("path")) {
                let output = run(Command::new(compose).args(["-f", path, "config", "--quiet"]).env_remove("TOKEN"));
                assert!(text(&output.stderr).contains("the key api of the secret hub-tokens"), "{}", text(&output.stderr));
            }
        }
        if ["swarm", "stacks"].contains(&of.as_str()) {
            ok(Command::new(NEW_DOCKER).args(["stack", "config", "-c", path]).envs(secrets));
        }
    }
}

/// What the real tools understand of ports: one without a port of the host is for other services alone, wherever the app runs.
fn a_port_of_the_container_alone_is_published_nowhere() {
    let project = Project::new(&[]);
    project.service("a", "ports = [\"8082\", \"53/udp\", \"8443:443\"]\nnetwork-mode = \"bridge\"\n");
    ok(&mut appbundle(project.path(), &["generate", "--for", "compose,swarm,stacks,kubernetes,auterionos"]));
    let top = project.path().join("target/appbundle");
    let published = |words: &[&str], file: &str| -> BTreeSet<String> {
        let path = top.join(file);
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg(&path).args((words[0] != NEW_DOCKER).then_some("config"));
        let read: Value = serde_saphyr::from_str(&ok(&mut command)).expect("YAML");
        let ports = read["services"]["a"]["ports"].as_array().cloned().unwrap_or_default().into_iter();
        ports
            .map(|port| {
                port.as_str().map_or_else(|| format!("{}:{}", port["published"], port["target"]), str::to_owned).replace('"', "")
            })
            .collect()
    };
    let only = BTreeSet::from(["8443:443".to_owned()]);
    let composes: [&[&str]; 2] = [&["docker-compose", "-f"], &["docker-compose-v2", "-f"]];
    for file in ["compose/demo/docker-compose.yml", "auterionos/app.yml", "swarm/docker-stack.yml", "stacks/demo.yml"] {
        // Only the newer one knows files without a version.
        for words in composes.iter().filter(|words| words[0] != "docker-compose" || !file.ends_with("app.yml")) {
            assert_eq!(published(words, file), only, "{words:?} {file}");
        }
        if file.contains("stack") {
            assert_eq!(published(&[NEW_DOCKER, "stack", "config", "-c"], file), only, "{file}");
        }
    }
    let device: Value = serde_saphyr::from_str(&text_of(&top.join("auterionos/auterion-app.yml"))).expect("YAML");
    let on_device = &device["compose-override"]["services"]["a"];
    assert_eq!(
        (&on_device["ports"], &on_device["expose"]),
        (&serde_json::json!(["8443:443"]), &serde_json::json!(["8082", "53/udp"]))
    );
    // In a cluster, others find the service at all its ports, and nobody else does.
    let service = top.join("kubernetes/service-a.yaml");
    let objects = judge("kubectl", &["annotate", "--local", "-o", "json", "-f", service.to_str().expect("path"), "seen=true"]);
    let objects: Vec<Value> = serde_json::Deserializer::from_str(&objects).into_iter().map(|one| one.expect("JSON")).collect();
    let spec = &objects.iter().find(|object| object["kind"] == "Service").expect("there")["spec"];
    assert_eq!((&spec["type"], spec["ports"].as_array().map(Vec::len)), (&Value::Null, Some(3)));
    assert!(!objects.iter().any(|object| object.to_string().contains("hostPort")), "{objects:?}");
}

fn text_of(path: &Path) -> String {
    std::fs::read_to_string(path).expect("read")
}

fn kustomize_and_the_published_schemas_accept_the_manifests() {
    for name in ["photo-gallery", "every-key"] {
        let folder = repository().join("tests/golden").join(name).join("kubernetes");
        let built = judge("kubectl", &["kustomize", folder.to_str().expect("path")]);
        let file = tempfile::Builder::new().suffix(".yaml").tempfile().expect("file");
        std::fs::write(file.path(), &built).expect("written");
        for version in ["1.25", "1.37"] {
            let said = judge("kubernetes-validate", &["--strict", "-k", version, file.path().to_str().expect("path")]);
            assert!(said.contains("passed for resource deployment/"), "{said}");
        }
    }
}

fn a_tag_is_changed_with_kustomize_and_a_prefix_with_an_option() {
    let folder = fixture("every-key");
    ok(&mut appbundle(folder.path(), &["generate", "--for", "compose,swarm,kubernetes", "--repo", "localhost:5000/test/"]));
    for file in ["compose/every-key/docker-compose.yml", "swarm/docker-stack.yml"] {
        let text = std::fs::read_to_string(folder.path().join("target/appbundle").join(file)).expect("read");
        assert!(text.contains("image: localhost:5000/test/hub:1.2.3-g4"), "{text}");
    }
    let kubernetes = folder.path().join("target/appbundle/kubernetes");
    let path = kubernetes.join("kustomization.yaml");
    let kustomization = std::fs::read_to_string(&path).expect("read").replace("1.2.3-g4", "2.0.0");
    std::fs::write(path, kustomization).expect("written");
    let built = judge("kubectl", &["kustomize", kubernetes.to_str().expect("path")]);
    assert!(built.contains("image: localhost:5000/test/hub:2.0.0"), "{built}");
    assert!(!built.contains("1.2.3-g4\n        "), "{built}");
}

fn claims_of_two_services_are_refused_where_they_stand() {
    let project = Project::new(&[]);
    project.service(
        "a",
        "ports = [\"8080:80\", \"127.0.0.1:53:53/udp\"]\nroutes = { \"/x\" = { port = 80 } }\nvolumes = [\"data:/data\"]\n",
    );
    project.service(
        "b",
        "network-mode = \"host\"\nports = [8080, 53]\nroutes = { \"/x/\" = { port = 80 } }\nvolumes = [\"data:/data\"]\nuser = \"7:7\"\n",
    );
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    for part in [
        "`b` uses the host port 8080, which `a` uses too",
        "services/b/Cargo.toml:8:10",
        "`b` has the route `/x/`, which `a` has too",
        "services/b/Cargo.toml:9:20",
        "the volume `data` is written by `a` as `65532:65532` and by `b` as `7:7`",
        "services/b/Cargo.toml:10:12",
    ] {
        assert!(error.contains(part), "{part} in\n{error}");
    }
    assert!(!error.contains("port 53"), "{error}");
    project.service(
        "b",
        "ports = [\"127.0.0.1:8081:80\"]\nroutes = { \"/y\" = { port = 80 } }\nvolumes = [\"data:/data:ro\"]\nuser = \"7:7\"\n",
    );
    ok(&mut appbundle(project.path(), &["plan"]));
}

fn what_is_said_of_deployment_is_checked() {
    let project = Project::new(&[]);
    project.service(
        "a",
        "resources = { cpu = \"1 core\", memory = \"64MB\", cpu-limt = \"1\" }\nsecrets = { \"A B\" = { secret = \"s\", key = \"k\" } }\n",
    );
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    assert!(error.contains("unknown key `cpu-limt`") && error.contains("did you mean `cpu-limit`?"), "{error}");
    project.service(
        "a",
        "resources = { cpu = \"1 core\", memory = \"64Mi\", memory-limit = \"32Mi\" }\nstop-grace-period = \"soon\"\n\
        environment = { T = 1 }\n[package.metadata.service.secrets]\n\"A B\" = { secret = \"s\", key = \"k/\" }\nT = { secret = \"s\", key = \"k\" }\n",
    );
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    for part in [
        "`1 core` is not an amount of CPU",
        "`memory-limit` is less than `memory`",
        "`soon` is not a duration",
        "`A B` is not a valid variable name",
        "`k/` is not a valid key of a secret",
        "`T` is in `environment` and in `secrets`",
    ] {
        assert!(error.contains(part), "{part} in\n{error}");
    }
}

fn a_swarm_has_room_for_names_of_63_letters() {
    let project = Project::new(&[]);
    project.service("long", &format!("name = \"{}\"\n", "a".repeat(59)));
    ok(&mut appbundle(project.path(), &["generate", "--for", "compose"]));
    let error = fails(&mut appbundle(project.path(), &["generate", "--for", "swarm"]), 1);
    assert!(error.contains("more than 63 characters") && error.contains("services/long/Cargo.toml:7:8"), "{error}");
}

fn names_that_kubernetes_forbids_matter_to_it_alone() {
    let project = Project::new(&[]);
    project.service("under", "name = \"under_score\"\nvolumes = [\"Data:/data\"]\nenvironment = { \"a b\" = 1 }\n");
    project.service("seven", "name = \"7seven\"\nsecrets = { T = { secret = \"My_Secret\", key = \"k\" } }\n");
    ok(&mut appbundle(project.path(), &["generate", "--for", "compose,swarm,dev"]));
    let error = fails(&mut appbundle(project.path(), &["generate", "--for", "kubernetes"]), 1);
    for part in [
        "on Kubernetes, a service cannot be named `under_score`",
        "services/under/Cargo.toml:7:8",
        "on Kubernetes, a volume cannot be named `Data`",
        "on Kubernetes, a variable cannot be named `a b`",
        "on Kubernetes, a service cannot be named `7seven`: the name must begin with a letter",
        "on Kubernetes, a secret cannot be named `My_Secret`",
    ] {
        assert!(error.contains(part), "{part} in\n{error}");
    }
}

/// What an app wants of a volume reaches its claim, and a volume that nobody has is a mistake.
fn claims_are_as_the_app_wants_them() {
    let project = Project::new(&[]);
    let manifest = project.text("Cargo.toml");
    project.service("store", "volumes = [\"data:/data\", \"more:/more\", \"most:/most\"]\n");
    let volumes = |text: &str| project.write("Cargo.toml", &format!("{manifest}[workspace.metadata.appbundle.volumes]\n{text}"));
    volumes(
        "data = { size = \"512Mi\" }\nmore = { kubernetes = { resources = { requests = { storage = \"2Ti\" } }, accessModes = [\"ReadWriteMany\"] } }\n",
    );
    let output = run(&mut appbundle(project.path(), &["generate", "--for", "kubernetes,compose"]));
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    let read = project.text("target/appbundle/kubernetes/volumes.yaml");
    let claims: Vec<Value> = serde_saphyr::from_multiple(&read).expect("YAML");
    let of =
        |name: &str| &claims.iter().find(|claim| claim["metadata"]["name"] == format!("demo-{name}")).expect("there")["spec"];
    let size = |name: &str| of(name)["resources"]["requests"]["storage"].as_str().expect("a size");
    assert_eq!([size("data"), size("more"), size("most")], ["512Mi", "2Ti", "1Gi"]);
    assert_eq!(
        (&of("data")["accessModes"][0], &of("more")["accessModes"][0]),
        (&"ReadWriteOnce".into(), &"ReadWriteMany".into())
    );
    assert!(said.contains("the claim `demo-most` requests 1Gi; set `volumes.most.size`"), "{said}");
    assert!(!said.contains("`demo-data`") && !said.contains("`demo-more`"), "{said}");
    assert!(said.contains("compose: the size of the volume `data` is left out"), "{said}");
    volumes("dta = { size = \"512Mi\" }\nmore = { size = \"much\" }\n");
    let error = fails(&mut appbundle(project.path(), &["plan"]), 1);
    for part in [
        "no service has a volume `dta`; did you mean `data`?",
        "Cargo.toml:10:7",
        "`much` is not a size: write `512Mi` or `10Gi`",
        "Cargo.toml:11:17",
    ] {
        assert!(error.contains(part), "{part} in\n{error}");
    }
}

/// One image for all services: who starts one says how, and every `$` in it stays one.
fn services_of_one_image_are_started_with_their_commands() {
    let project = Project::new(&["beta"]);
    project.edit("Cargo.toml", |text| text + "layout = \"multi-binary\"\n");
    project.service("alpha", "args = [\"$(HOME)\", \"$$(HOME)\", \"$HOME\"]\nworkdir = \"/srv\"\n");
    // The flag's older name is still taken.
    ok(&mut appbundle(project.path(), &["generate", "--for", "swarm,kubernetes", "--image-prefix", "localhost:5000/x"]));
    let read = |path: &str| project.text(&format!("target/appbundle/{path}"));
    let parse = |text: &str| serde_saphyr::from_multiple::<Value>(text).expect("YAML").pop().expect("one");
    let container = parse(&read("kubernetes/service-alpha.yaml"))["spec"]["template"]["spec"]["containers"][0].clone();
    let expected = serde_json::json!(["/usr/local/bin/alpha", "$$(HOME)", "$$$$(HOME)", "$$HOME"]);
    assert_eq!((&container["command"], &container["workingDir"]), (&expected, &"/srv".into()));
    assert_eq!(container["image"], "localhost:5000/x/demo:1.2.3");
    let service = parse(&read("swarm/docker-stack.yml"))["services"]["alpha"].clone();
    assert_eq!((&service["command"], &service["working_dir"]), (&expected, &"/srv".into()));
    let kustomization = parse(&read("kubernetes/kustomization.yaml"));
    assert_eq!(kustomization["images"].as_array().expect("list").len(), 1);
}

fn a_secret_is_only_ever_a_reference() {
    let project = Project::new(&[]);
    project.service("a", "secrets = { TOKEN = { secret = \"tokens\", key = \"api\" } }\n");
    let mut command = appbundle(project.path(), &["generate", "--for", DESTINATIONS]);
    let printed = ok(command.env("TOKEN", "the value itself"));
    for path in printed.lines() {
        assert!(!std::fs::read_to_string(path).expect("read").contains("the value itself"), "{path}");
    }
    let read = |path: &str| project.text(&format!("target/appbundle/{path}"));
    assert!(read("compose/demo/docker-compose.yml").contains("TOKEN: ${TOKEN:?the key api of the secret tokens}"));
    assert!(read("kubernetes/service-a.yaml").contains("secretKeyRef:"));
}

/// What is left out is said once, by the name of the destination that was asked for.
fn notes_name_their_destination_and_are_said_once() {
    let project = Project::new(&[]);
    let manifest = project.text("Cargo.toml");
    let stacks = "stacks.demo = { stacks = [\"inner\"], copies = [\"b\"] }\nstacks.inner = { services = [\"b\"] }\n";
    project.write("Cargo.toml", &format!("{manifest}{stacks}"));
    project.service("a", "routes = { \"/a\" = { port = 80 } }\n");
    project.service("b", "privileged = true\n");
    let notes = |destination: &str| -> Vec<String> {
        let output = run(&mut appbundle(project.path(), &["generate", "--color", "never", "--for", destination]));
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stderr)
            .lines()
            .filter_map(|line| line.strip_prefix("note[")?.split_once("]: "))
            .map(|(_, note)| note.to_owned())
            .collect()
    };
    let expected = [
        "stacks: `privileged` of `b` is left out: it has no equivalent in a swarm",
        "stacks: the routes of `a` are left out: neither the stack `demo` nor one around it has a `gateway`",
    ];
    let mut said = notes("stacks");
    said.sort();
    assert_eq!(said, expected);
    project.write("Cargo.toml", &format!("{manifest}{}", stacks.replace("demo = {", "demo = { gateway = {},")));
    assert_eq!(notes("stacks"), expected[..1]);
    project.write("Cargo.toml", &manifest);
    project.write("app.yml", "services:\n  a:\n    image: a:#VERSION#\n  b:\n    image: b:#VERSION#\n");
    for destination in ["compose", "swarm", "dev", "kubernetes"] {
        let words = format!("{destination}: the files are generated from the manifests; `app.yml` is not read");
        assert!(notes(destination).contains(&words), "{destination}");
    }
}

fn main() -> ExitCode {
    harness::run(vec![
        test!(the_list_of_destinations_is_that_of_the_help),
        test!(only_what_differs_fails_the_check),
        test!(every_key_is_every_key),
        test!(docker_compose_accepts_the_files, [compose, new_docker]),
        test!(a_port_of_the_container_alone_is_published_nowhere, [compose, kubectl, new_docker]),
        test!(kustomize_and_the_published_schemas_accept_the_manifests, [kubectl, kubernetes_validate]),
        test!(a_tag_is_changed_with_kustomize_and_a_prefix_with_an_option, [kubectl]),
        test!(claims_of_two_services_are_refused_where_they_stand),
        test!(what_is_said_of_deployment_is_checked),
        test!(a_swarm_has_room_for_names_of_63_letters),
        test!(names_that_kubernetes_forbids_matter_to_it_alone),
        test!(claims_are_as_the_app_wants_them),
        test!(services_of_one_image_are_started_with_their_commands),
        test!(a_secret_is_only_ever_a_reference),
        test!(notes_name_their_destination_and_are_said_once),
    ])
}
